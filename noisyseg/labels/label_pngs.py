"""Label maps in PNG files: read, and written back with the palette, the bit depth and every other chunk they had."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from noisyseg.labels.errors import LabelError
from noisyseg.labels.instances import IGNORE

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, PALETTE = 0, 3
COLOUR_TYPES = {2: "RGB", 4: "grey with alpha", 6: "RGB with alpha"}


@dataclass(frozen=True, eq=False)
class LabelPng:
    """A PNG file of one channel.

    Attributes:
        pixels: (H, W) numbers as the file stores them: uint16 where it has 16 bits a pixel, else uint8.
        bits: Bits a pixel: 1, 2, 4, 8 or 16.
        before: The chunks before the pixels, such as the palette, as (type, data) in order, the header first.
        after: The chunks behind them, without the end.
    """

    pixels: Pixels
    bits: int
    before: tuple[tuple[bytes, bytes], ...]
    after: tuple[tuple[bytes, bytes], ...]

    def encoded(self, pixels: Pixels) -> bytes:
        """Returns the bytes of a PNG file with other pixels of the same size, and all else as it was."""
        header = self.before[0][1][:12] + b"\0"  # rows from top to bottom, not interlaced
        rows = _packed(pixels, self.bits)
        scanlines = np.zeros((rows.shape[0], rows.shape[1] + 1), np.uint8)  # each begins with its filter: none
        scanlines[:, 1:] = rows
        chunks = [(b"IHDR", header), *self.before[1:], (b"IDAT", zlib.compress(scanlines.tobytes(), 6)), *self.after]
        return SIGNATURE + b"".join(_chunk(*chunk) for chunk in [*chunks, (b"IEND", b"")])


def read_label_png(path: str | Path) -> LabelPng:
    """Returns a label map as it is stored; the numbers of a palette image are not looked up.

    Raises:
        LabelError: The file cannot be read, is no PNG or a broken one, or has more than one channel.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LabelError(f"cannot be read: {error.strerror}", file=path) from error
    try:
        chunks = _chunks(content)
        bits, colour_type = chunks[0][1][8:10]
        if colour_type not in (GREY, PALETTE):
            kind = COLOUR_TYPES.get(colour_type, f"colour type {colour_type}")
            raise LabelError(f"expected a PNG of one channel with class numbers, got {kind}")
        pixels = _pixels(path, bits, colour_type)
    except LabelError as error:
        raise error.at(file=path) from None
    names = [name for name, _ in chunks]
    first, last = names.index(b"IDAT"), len(names) - names[::-1].index(b"IDAT")
    return LabelPng(pixels, bits, tuple(chunks[:first]), tuple(chunks[last:]))


@dataclass(frozen=True)
class ClassCodes:
    """Which number stands for which class in the files of a data set.

    Attributes:
        names: (K,) names of the classes, K <= 255.
        values: (K,) the number of each class in a file.
        ignored: Further numbers that may stand in a file; their pixels are ignored.
        ignore_value: The number that is written for a pixel that noise made ignored.
    """

    names: tuple[str, ...]
    values: tuple[int, ...]
    ignored: tuple[int, ...]
    ignore_value: int

    def __post_init__(self) -> None:
        if not 1 <= len(self.names) <= IGNORE:
            raise LabelError(f"classes: expected 1 to {IGNORE} names, got {len(self.names)}")
        if len(self.names) != len(self.values) or len({*self.values, *self.ignored}) != len(
            (*self.values, *self.ignored)
        ):
            raise LabelError(
                f"classes: expected a number of its own for each class and for ignored pixels, got {self.values} and "
                f"{self.ignored}"
            )

    @classmethod
    def counted(cls, names: Sequence[str], ignore: int = IGNORE, first: int = 0) -> ClassCodes:
        """Returns the codes of classes that are numbered from ``first`` on, and one number for ignored pixels."""
        names = tuple(names)
        return cls(names, tuple(range(first, first + len(names))), (ignore,), ignore)

    def classes(self, pixels: Pixels) -> npt.NDArray[np.uint8]:
        """Returns (H, W) classes 0..K-1, and 255 where a pixel is ignored.

        Raises:
            LabelError: A number stands for no class.
        """
        table, known = self._tables
        inside = np.minimum(pixels, len(table) - 1)
        if not known[inside].all() or int(pixels.max(initial=0)) >= len(table):
            unknown = sorted(set(np.unique(pixels).tolist()) - {*self.values, *self.ignored})
            more = ", ..." if len(unknown) > 5 else ""
            expected = f"{_ranges(self.values)} for classes or {_ranges(self.ignored)} for ignored pixels"
            raise LabelError(f"expected the numbers {expected}, got {', '.join(map(str, unknown[:5]))}{more}")
        return table[inside]

    def written(self, pixels: Pixels, clean: npt.NDArray[np.integer], noisy: npt.NDArray[np.integer]) -> Pixels:
        """Returns the numbers in a file after noise; what it left alone is as it was, also among ignored numbers.

        Args:
            pixels: What the clean file holds.
            clean: :meth:`classes` of it.
            noisy: The noisy classes.

        Raises:
            LabelError: The file has too few bits for the number of ignored pixels.
        """
        codes = np.full(IGNORE + 1, self.ignore_value, np.int64)
        codes[: len(self.values)] = self.values
        changed = clean != noisy
        new = codes[noisy[changed]]
        if new.size and new.max() > np.iinfo(pixels.dtype).max:
            raise LabelError(f"expected more bits a pixel, to write {new.max()} where noise makes pixels ignored")
        result = pixels.copy()
        result[changed] = new
        return result

    @cached_property
    def _tables(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
        table = np.full(max(*self.values, *self.ignored) + 1, IGNORE, np.uint8)
        known = np.zeros(len(table), bool)
        table[list(self.values)] = range(len(self.values))
        known[[*self.values, *self.ignored]] = True
        return table, known


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """Returns the (type, data) of each chunk up to the end, which is not among them."""
    if not content.startswith(SIGNATURE):
        raise LabelError("expected a PNG file, got one that does not begin like one")
    chunks: list[tuple[bytes, bytes]] = []
    place = len(SIGNATURE)
    while place + 12 <= len(content):
        length, name = struct.unpack_from(">I4s", content, place)
        if name == b"IEND":
            break
        data = content[place + 8 : place + 8 + length]
        chunks.append((name, data))
        place += 12 + length
    names = [name for name, _ in chunks]
    if not chunks or names[0] != b"IHDR" or len(chunks[0][1]) != 13 or b"IDAT" not in names or place > len(content):
        raise LabelError("expected a whole PNG file, got one that is cut off or broken")
    return chunks


def _pixels(path: Path, bits: int, colour_type: int) -> Pixels:
    try:
        with Image.open(path, formats=["PNG"]) as image:
            pixels = np.asarray(image)
    except (OSError, SyntaxError, ValueError, struct.error, zlib.error, Image.DecompressionBombError) as error:
        raise LabelError(f"cannot be decoded: {error}") from error
    if bits == 16:
        return pixels.astype(np.uint16)
    if colour_type == GREY and bits in (2, 4):  # Pillow spreads these over 0..255
        return pixels // np.uint8(255 // (2**bits - 1))
    return pixels.astype(np.uint8)


def _packed(pixels: Pixels, bits: int) -> npt.NDArray[np.uint8]:
    """Returns the bytes of each row."""
    if bits == 16:
        return np.ascontiguousarray(pixels.astype(">u2")).view(np.uint8)
    if bits == 8:
        return pixels.astype(np.uint8)
    places = np.arange(bits - 1, -1, -1, dtype=np.uint8)
    digits = (pixels[..., None] >> places) & np.uint8(1)
    return np.packbits(digits.reshape(len(pixels), -1).astype(np.uint8), axis=1)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _ranges(values: Sequence[int]) -> str:
    """Returns numbers as text, such as ``0..18, 33``."""
    runs: list[list[int]] = []
    for value in sorted(values):
        if runs and value == runs[-1][1] + 1:
            runs[-1][1] = value
        else:
            runs.append([value, value])
    return ", ".join(str(first) if first == last else f"{first}..{last}" for first, last in runs)
