"""Where the elements of a list stand in JSON text, without parsing them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from noisyseg.labels.kernels.compiling import compiled

Text = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
_QUOTE, _BACKSLASH, _COMMA, _COLON = ord('"'), ord("\\"), ord(","), ord(":")
_OPEN_LIST, _CLOSE_LIST, _OPEN_OBJECT, _CLOSE_OBJECT = ord("["), ord("]"), ord("{"), ord("}")
_SPACE = ord(" ")


@compiled
def list_elements(text: Text, key: Text) -> tuple[int, int, Places, Places]:  # noqa: C901 - one loop, one state
    """Returns where the list under ``key`` of the outermost object stands in JSON text.

    Nothing is checked but that brackets, quotes and commas make sense of the elements: whoever parses the pieces finds
    the rest.

    Args:
        text: (N,) uint8 bytes of an object.
        key: (M,) uint8 bytes of the key as it is written, without quotes. Of several such keys, the last.

    Returns:
        First byte of the list and the one behind it, -1 where there is no such list or its elements make no sense; and
        the same of each element.
    """
    starts, stops = np.empty(1024, np.int64), np.empty(1024, np.int64)
    count, depth = 0, 0
    first, last = -1, -1
    quoted_from, quoted_to = 0, 0
    element = -1
    inside, in_string, escaped = False, False, False
    named = False
    for i in range(len(text)):
        c = text[i]
        if in_string:
            if escaped:
                escaped = False
            elif c == _BACKSLASH:
                escaped = True
            elif c == _QUOTE:
                in_string = False
                quoted_to = i
            continue
        if c <= _SPACE:
            continue
        if inside and depth == 2:
            if _either(c, _COMMA, _CLOSE_LIST):
                if element >= 0:
                    if count == len(starts):
                        starts, stops = _doubled(starts), _doubled(stops)
                    starts[count], stops[count] = element, i
                    count += 1
                    element = -1
                elif c == _COMMA or count:  # an element is missing
                    return -1, -1, starts[:0], stops[:0]
            elif element < 0:
                element = i
        if c == _QUOTE:
            in_string = True
            quoted_from = i + 1
        elif _either(c, _OPEN_LIST, _OPEN_OBJECT):
            if c == _OPEN_LIST and depth == 1 and named:
                inside, first, last, count, element = True, i, -1, 0, -1
            depth += 1
            named = False
        elif _either(c, _CLOSE_LIST, _CLOSE_OBJECT):
            depth -= 1
            if inside and depth == 1:
                inside, last = False, i + 1
        elif c == _COLON and depth == 1:
            named = quoted_to - quoted_from == len(key) and np.all(text[quoted_from:quoted_to] == key)
        elif c == _COMMA and depth == 1:
            named = False
    if last < 0:
        return -1, -1, starts[:0], stops[:0]
    return first, last, starts[:count].copy(), stops[:count].copy()


@compiled
def _either(c: int, one: int, other: int) -> bool:
    return (c == one) | (c == other)


@compiled
def _doubled(places: Places) -> Places:
    more = np.empty(2 * len(places), np.int64)
    more[: len(places)] = places
    return more
