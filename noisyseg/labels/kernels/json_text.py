"""Where the objects of a list stand in JSON text, and numbers in them, without parsing it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from noisyseg.labels.kernels.compiling import compiled

Text = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
_QUOTE, _BACKSLASH, _COMMA, _COLON = ord('"'), ord("\\"), ord(","), ord(":")
_OPEN_LIST, _CLOSE_LIST, _OPEN_OBJECT, _CLOSE_OBJECT = ord("["), ord("]"), ord("{"), ord("}")
_SPACE, _MINUS, _ZERO, _NINE = ord(" "), ord("-"), ord("0"), ord("9")
_MOST_DIGITS = 18
# Bytes that say something inside an element, and inside a string; the scan runs over all others.
_STRUCTURE = np.isin(np.arange(256), [_QUOTE, _OPEN_LIST, _CLOSE_LIST, _OPEN_OBJECT, _CLOSE_OBJECT])
_STRING_END = np.isin(np.arange(256), [_QUOTE, _BACKSLASH])


class Found(NamedTuple):
    """A list of objects in JSON text.

    Attributes:
        first: First byte of the list; -1 where there is no such list or its elements make no sense.
        last: The byte behind it.
        starts: (N,) first byte of each element.
        stops: (N,) the byte behind each element.
        numbers: (N, 2) what stands in each element under the two keys that were asked for.
        regular: Whether all elements have both, as whole numbers of at most 18 digits.
        flagged: Whether any element has the third key.
    """

    first: int
    last: int
    starts: Places
    stops: Places
    numbers: Places
    regular: bool
    flagged: bool


@compiled
def list_of_objects(text: Text, key: Text, one: Text, other: Text, flag: Text) -> Found:  # noqa: C901 - one loop, one state
    """Returns where the list under ``key`` of the outermost object stands in JSON text, and numbers in its elements.

    Nothing is checked but that brackets, quotes and commas make sense of the elements: whoever parses the pieces finds
    the rest.

    Args:
        text: (T,) uint8 bytes of an object.
        key: Bytes of the key as it is written, without quotes. Of several such keys, the last; so for those below.
        one: Key of a number in each element.
        other: Key of another one.
        flag: Key to look out for in the elements.
    """
    starts, stops, numbers = np.empty(1024, np.int64), np.empty(1024, np.int64), np.empty((1024, 2), np.int64)
    count, depth, element, have = 0, 0, -1, 0
    first, last = -1, -1
    quoted_from, quoted_to = 0, 0
    inside, named, regular, flagged = False, False, True, False
    size = len(text)
    i = -1
    while i + 1 < size:
        i += 1
        if depth > 2:
            while i < size and not _STRUCTURE[text[i]]:
                i += 1
            if i == size:
                break
        c = text[i]
        if c <= _SPACE:
            continue
        if inside and depth == 2:
            if _either(c, _COMMA, _CLOSE_LIST):
                if element >= 0:
                    stops[count] = i
                    regular = regular and have == 3
                    count += 1
                    element = -1
                elif c == _COMMA or count:  # an element is missing
                    break
            elif element < 0:
                if count == len(starts):
                    starts, stops = _doubled(starts), _doubled(stops)
                    numbers = np.concatenate((numbers, np.empty_like(numbers)))
                element, have = i, 0
                starts[count] = i
        if c == _QUOTE:
            quoted_from = i + 1
            quoted_to = i = _string_end(text, i + 1)
            if inside and depth == 3 and _is_key(text, quoted_to):
                if _says(text, quoted_from, quoted_to, one):
                    fine, numbers[count, 0] = _number(text, quoted_to)
                    have |= 1
                    regular = regular and fine
                elif _says(text, quoted_from, quoted_to, other):
                    fine, numbers[count, 1] = _number(text, quoted_to)
                    have |= 2
                    regular = regular and fine
                elif _says(text, quoted_from, quoted_to, flag):
                    flagged = True
                elif _escaped(text, quoted_from, quoted_to):  # it may be any of them
                    regular = False
        elif _either(c, _OPEN_LIST, _OPEN_OBJECT):
            if c == _OPEN_LIST and depth == 1 and named:
                inside, first, last, count, element, regular, flagged = True, i, -1, 0, -1, True, False
            depth += 1
            named = False
        elif _either(c, _CLOSE_LIST, _CLOSE_OBJECT):
            depth -= 1
            if inside and depth == 1:
                inside, last = False, i + 1
        elif c == _COLON and depth == 1:
            named = _says(text, quoted_from, quoted_to, key)
        elif c == _COMMA and depth == 1:
            named = False
    if last < 0 or inside:
        first, last, count = -1, -1, 0
    return Found(first, last, starts[:count].copy(), stops[:count].copy(), numbers[:count].copy(), regular, flagged)


@compiled
def _says(text: Text, start: int, stop: int, key: Text) -> bool:
    same = stop - start == len(key)
    k = 0
    while same and k < len(key):
        same = text[start + k] == key[k]
        k += 1
    return same


@compiled
def _escaped(text: Text, start: int, stop: int) -> bool:
    found = False
    for place in range(start, stop):
        found |= text[place] == _BACKSLASH
    return found


@compiled
def _after_space(text: Text, place: int) -> int:
    while place < len(text) and text[place] <= _SPACE:
        place += 1
    return place


@compiled
def _is_key(text: Text, quote: int) -> bool:
    """Returns whether a colon follows the quote that ends a string."""
    place = _after_space(text, quote + 1)
    return place < len(text) and text[place] == _COLON


@compiled
def _number(text: Text, quote: int) -> tuple[bool, int]:
    """Returns the whole number behind the key that ends at ``quote``, and whether it is one."""
    place = _after_space(text, _after_space(text, quote + 1) + 1)
    negative = place < len(text) and text[place] == _MINUS
    place += negative
    value, digits = np.int64(0), 0
    while place < len(text) and _ZERO <= text[place] <= _NINE and digits <= _MOST_DIGITS:
        value = 10 * value + (text[place] - _ZERO)
        digits += 1
        place += 1
    place = _after_space(text, place)
    fine = 0 < digits <= _MOST_DIGITS and place < len(text) and _either(text[place], _COMMA, _CLOSE_OBJECT)
    return fine, -value if negative else value


@compiled
def _string_end(text: Text, place: int) -> int:
    """Returns where the quote stands that ends a string; the end of the text where none does."""
    while place < len(text):
        if _STRING_END[text[place]]:
            if text[place] == _QUOTE:
                return place
            place += 1  # what is escaped
        place += 1
    return len(text)


@compiled
def _either(c: int, one: int, other: int) -> bool:
    return (c == one) | (c == other)


@compiled
def _doubled(places: Places) -> Places:
    more = np.empty(2 * len(places), np.int64)
    more[: len(places)] = places
    return more
