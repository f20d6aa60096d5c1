"""Compiled search for the annotations in the bytes of a COCO file, without parsing them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from noisyseg.labels.kernels.compiling import compiled

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
QUOTE, BACKSLASH, COLON, COMMA, MINUS = ord('"'), ord("\\"), ord(":"), ord(","), ord("-")
OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT = ord("["), ord("]"), ord("{"), ord("}")
SPACE, ZERO, NINE = ord(" "), ord("0"), ord("9")
ANNOTATIONS = np.frombuffer(b"annotations", np.uint8)
ID = np.frombuffer(b"id", np.uint8)
IMAGE_ID = np.frombuffer(b"image_id", np.uint8)
SEGMENTATION = np.frombuffer(b"segmentation", np.uint8)
# Bytes that say something inside an annotation; the search runs over all others.
STRUCTURE = np.isin(np.arange(256), [QUOTE, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT])
# Columns of the table, and what marks an annotation without that key.
START, STOP, OWN_ID, OWN_IMAGE, HAS_MASK, ESCAPED = range(6)
MISSING = -(2**63) + 1
ABSENT, BROKEN = -1, -2


@compiled
def scan_annotations(data: Bytes) -> tuple[int, int, Ints]:
    """Returns where the list under ``annotations`` starts and stops, and a row for each object in it.

    Args:
        data: The bytes of the file.

    Returns:
        Position of the opening and behind the closing bracket, and (N, 6) int64: start and stop of the object, its
        ``id`` and ``image_id``, whether it has a ``segmentation``, and whether a key of it is written with escapes. The
        first number is -1 where the bytes are not what this search understands; a real parser then has to say why.
    """
    first = _find_list(data, 0, 0)
    if first < 0:
        return -1, -1, np.empty((0, 6), np.int64)
    last, rows = _scan_list(data, first)
    if last < 0 or _find_list(data, last, 1) != ABSENT:
        return -1, -1, rows
    return first, last, rows


@compiled
def _find_list(data: Bytes, i: int, depth: int) -> int:
    """Returns where the list under the key ``annotations`` of the document starts, ABSENT, or another number < 0."""
    while i < len(data):
        byte = data[i]
        if byte == QUOTE:
            stop = _string_end(data, i)
            if stop < 0:
                return BROKEN
            if depth == 1 and _is(data, i + 1, stop - 1, ANNOTATIONS):
                value = _after_colon(data, stop)
                if value > 0:
                    return value if value < len(data) and data[value] == OPEN_LIST else BROKEN
            i = stop
            continue
        if byte in (OPEN_OBJECT, OPEN_LIST):
            depth += 1
        elif byte in (CLOSE_OBJECT, CLOSE_LIST):
            depth -= 1
        i += 1
    return ABSENT


@compiled
def _scan_list(data: Bytes, first: int) -> tuple[int, Ints]:
    """Returns the position behind the list that starts at ``first``, or BROKEN, and a row for each object in it."""
    rows = np.empty((1024, 6), np.int64)
    count = 0
    i = _next(data, first + 1)
    while i < len(data) and data[i] == OPEN_OBJECT:
        if count == len(rows):
            rows = np.concatenate((rows, np.empty_like(rows)))
        i = _scan_object(data, i, rows[count])
        if i < 0:
            return BROKEN, rows[:count]
        count += 1
        i = _next(data, i)
        if i >= len(data) or data[i] != COMMA:
            break
        i = _next(data, i + 1)
        if i >= len(data) or data[i] != OPEN_OBJECT:
            return BROKEN, rows[:count]
    if i >= len(data) or data[i] != CLOSE_LIST:
        return BROKEN, rows[:count]
    return i + 1, rows[:count].copy()


@compiled
def _scan_object(data: Bytes, start: int, row: Ints) -> int:
    """Fills the row of the object that starts here; returns the position behind it, or BROKEN."""
    row[START], row[OWN_ID], row[OWN_IMAGE] = start, MISSING, MISSING
    row[HAS_MASK], row[ESCAPED] = 0, 0
    depth, i = 0, start
    while i < len(data):
        byte = data[i]
        if not STRUCTURE[byte]:
            i += 1
            continue
        if byte == QUOTE:
            stop = _string_end(data, i)
            if stop < 0:
                return BROKEN
            i = stop if depth > 1 else _read_key(data, i, stop, row)
            continue
        if byte in (OPEN_OBJECT, OPEN_LIST):
            depth += 1
        elif byte in (CLOSE_OBJECT, CLOSE_LIST):
            depth -= 1
            if depth == 0:
                row[STOP] = i + 1
                return i + 1
        i += 1
    return BROKEN


@compiled
def _read_key(data: Bytes, start: int, stop: int, row: Ints) -> int:
    """Notes the value of the string from ``start`` to ``stop`` if it is a key that matters; returns where to go on."""
    value = _after_colon(data, stop)
    if value < 0:
        return stop
    if _escaped(data, start + 1, stop - 1):  # it may say anything: left to a parser
        row[ESCAPED] = 1
    elif _is(data, start + 1, stop - 1, ID):
        row[OWN_ID] = _integer(data, value)
    elif _is(data, start + 1, stop - 1, IMAGE_ID):
        row[OWN_IMAGE] = _integer(data, value)
    elif _is(data, start + 1, stop - 1, SEGMENTATION):
        row[HAS_MASK] = 1
    return value


@compiled
def _string_end(data: Bytes, i: int) -> int:
    """Returns the position behind the string that starts here, or -1."""
    i += 1
    while i < len(data):
        if data[i] == QUOTE:
            return i + 1
        i += 2 if data[i] == BACKSLASH else 1
    return -1


@compiled
def _next(data: Bytes, i: int) -> int:
    """Returns the next position that holds no white space."""
    while i < len(data) and data[i] <= SPACE:
        i += 1
    return i


@compiled
def _after_colon(data: Bytes, i: int) -> int:
    """Returns where the value of the key that ends here starts, or -1 where the string was no key."""
    i = _next(data, i)
    return _next(data, i + 1) if i < len(data) and data[i] == COLON else -1


@compiled
def _is(data: Bytes, start: int, stop: int, word: Bytes) -> bool:
    return stop - start == len(word) and np.array_equal(data[start:stop], word)


@compiled
def _escaped(data: Bytes, start: int, stop: int) -> bool:
    found = False
    for i in range(start, stop):
        found |= data[i] == BACKSLASH
    return found


@compiled
def _integer(data: Bytes, i: int) -> int:
    """Returns the whole number that starts here, or MISSING where it is none of at most 18 digits."""
    negative = data[i] == MINUS
    i += negative
    value, digits = np.int64(0), 0
    while i < len(data) and data[i] >= ZERO and data[i] <= NINE:
        value = value * 10 + (data[i] - ZERO)
        digits += 1
        i += 1
    i = _next(data, i)
    if digits == 0 or digits > 18 or i >= len(data) or (data[i] != COMMA and data[i] != CLOSE_OBJECT):
        return MISSING
    return -value if negative else value
