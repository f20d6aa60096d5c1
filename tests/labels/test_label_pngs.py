import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from noisyseg.labels import LabelError
from noisyseg.labels.label_pngs import SIGNATURE, ClassCodes, read_label_png

VOC = ClassCodes.counted(("background", "aeroplane", "bicycle"))
SHIFTED = ClassCodes(("wall", "building"), (1, 2), (0, 255), 0)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(path, pixels, bits, colour_type, *more):
    """Writes a PNG by hand; `pixels` are bits as text, a row each."""
    height, width = len(pixels), len(pixels[0].split())
    rows = b""
    for row in pixels:
        digits = "".join(f"{int(number):0{bits}b}" for number in row.split())
        digits += "0" * (-len(digits) % 8)
        rows += b"\0" + int(digits, 2).to_bytes(len(digits) // 8, "big")
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), *more, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    path.write_bytes(SIGNATURE + b"".join(chunk(*item) for item in chunks))
    return path


@pytest.mark.parametrize(("bits", "largest"), [(1, 1), (2, 3), (4, 15), (8, 255), (16, 40_000)])
@pytest.mark.parametrize("colour_type", [0, 3])
def test_numbers_are_read_as_they_stand_at_every_depth(tmp_path, bits, largest, colour_type):
    if (bits, colour_type) == (16, 3):
        pytest.skip("PNG has no palette of 16 bits")
    palette = [(b"PLTE", bytes(range(3 * min(2**bits, 256) % 256)) or bytes(768))] if colour_type == 3 else []
    path = png(tmp_path / "a.png", [f"0 1 {largest}", f"{largest} 0 1", "1 1 0"], bits, colour_type, *palette)
    read = read_label_png(path)
    assert read.pixels.tolist() == [[0, 1, largest], [largest, 0, 1], [1, 1, 0]]
    assert read.pixels.dtype == (np.uint16 if bits == 16 else np.uint8)
    # Other numbers come back in a file of the same form.
    other = read.pixels[::-1].copy()
    path.write_bytes(read.encoded(other))
    again = read_label_png(path)
    assert again.pixels.tolist() == other.tolist()
    assert (again.bits, again.before, again.after) == (read.bits, read.before, read.after)


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([np.uint8, np.uint16]), st.integers(0, 2**32 - 1))
def test_pillow_reads_what_is_written(tmp_path_factory, height, width, dtype, seed):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, np.iinfo(dtype).max + 1, (height, width)).astype(dtype)
    path = tmp_path_factory.mktemp("png") / "a.png"
    Image.fromarray(np.zeros_like(pixels)).save(path)
    path.write_bytes(read_label_png(path).encoded(pixels))
    with Image.open(path) as image:
        assert np.asarray(image).astype(np.int64).tolist() == pixels.tolist()


def test_a_palette_and_other_chunks_stay(tmp_path):
    path = tmp_path / "a.png"
    image = Image.fromarray(np.array([[0, 1], [2, 255]], np.uint8)).convert("P")
    image.putpalette([channel for k in range(256) for channel in (k, 255 - k, 7)])
    image.save(path, transparency=3, dpi=(72, 72))
    read = read_label_png(path)
    assert {b"PLTE", b"tRNS", b"pHYs"} <= {name for name, _ in read.before}
    path.write_bytes(read.encoded(read.pixels[:, ::-1]))
    with Image.open(path) as noisy:
        assert noisy.mode == "P"
        assert noisy.getpalette() == image.getpalette()
        assert noisy.info["transparency"] == 3
        assert noisy.info["dpi"] == pytest.approx((72, 72), abs=0.1)
        assert np.asarray(noisy).tolist() == [[1, 0], [255, 2]]


def test_an_interlaced_file_is_read_and_written_plainly(tmp_path):
    # Adam7 by hand would be long: one pixel is the same in its first pass.
    path = png(tmp_path / "a.png", ["7"], 8, 0)
    content = bytearray(path.read_bytes())
    content[28] = 1
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)
    read = read_label_png(path)
    assert read.pixels.tolist() == [[7]]
    assert read.encoded(read.pixels)[28] == 0


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda content: b"GIF89a", "expected a PNG file, got one that does not begin like one"),
        (lambda content: b"", "expected a PNG file, got one that does not begin like one"),
        (lambda content: content[:-30], "cut off or broken|cannot be decoded"),
        (lambda content: content[:20], "expected a whole PNG file, got one that is cut off or broken"),
        (lambda content: content[:45] + b"xxxx" + content[49:], "cannot be decoded"),
    ],
)
def test_a_broken_file_is_named(tmp_path, change, problem):
    path = png(tmp_path / "a.png", ["1 2", "3 4"], 8, 0)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(LabelError, match=rf"a\.png: .*({problem})"):
        read_label_png(path)


@pytest.mark.parametrize(("mode", "kind"), [("RGB", "RGB"), ("RGBA", "RGB with alpha"), ("LA", "grey with alpha")])
def test_a_picture_is_no_label_map(tmp_path, mode, kind):
    Image.new(mode, (2, 2)).save(tmp_path / "a.png")
    with pytest.raises(LabelError, match=rf"a\.png: expected a PNG of one channel with class numbers, got {kind}$"):
        read_label_png(tmp_path / "a.png")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(LabelError, match=r"a\.png: cannot be read: No such file"):
        read_label_png(tmp_path / "a.png")


def test_numbers_become_classes_and_back():
    pixels = np.array([[0, 1, 2], [255, 2, 1]], np.uint8)
    classes = SHIFTED.classes(pixels)
    assert classes.tolist() == [[255, 0, 1], [255, 1, 0]]
    noisy = np.array([[255, 1, 1], [255, 255, 0]], np.uint8)
    # What is ignored keeps its number; what noise made ignored gets the number for it.
    assert SHIFTED.written(pixels, classes, noisy).tolist() == [[0, 2, 2], [255, 0, 1]]
    assert SHIFTED.written(pixels, classes, noisy).dtype == np.uint8


def test_sixteen_bits_and_a_large_ignore_number():
    codes = ClassCodes.counted(("a", "b"), ignore=65535)
    pixels = np.array([[0, 1, 65535]], np.uint16)
    assert codes.classes(pixels).tolist() == [[0, 1, 255]]
    written = codes.written(pixels, codes.classes(pixels), np.array([[1, 255, 255]]))
    assert (written.tolist(), written.dtype) == ([[1, 65535, 65535]], np.uint16)


def test_a_number_without_a_class_is_an_error():
    with pytest.raises(
        LabelError, match=r"expected the numbers 0\.\.2 for classes or 255 for ignored pixels, got 7, 9"
    ):
        VOC.classes(np.array([[0, 7, 9]], np.uint8))
    with pytest.raises(LabelError, match=r"expected the numbers 1\.\.2 for classes or 0, 255 .* got 300"):
        SHIFTED.classes(np.array([[300]], np.uint16))


def test_codes_that_clash_are_an_error():
    with pytest.raises(LabelError, match="expected a number of its own for each class and for ignored pixels"):
        ClassCodes.counted(("a", "b", "c"), ignore=2)
    with pytest.raises(LabelError, match="expected 1 to 255 names, got 0"):
        ClassCodes.counted(())
    with pytest.raises(LabelError, match="expected 1 to 255 names, got 256"):
        ClassCodes.counted([str(k) for k in range(256)], ignore=999)


def test_an_ignore_number_that_does_not_fit_is_an_error():
    codes = ClassCodes.counted(("a", "b"), ignore=65535)
    pixels = np.array([[0, 1]], np.uint8)
    with pytest.raises(LabelError, match="expected more bits a pixel, to write 65535"):
        codes.written(pixels, pixels, np.array([[255, 1]]))
