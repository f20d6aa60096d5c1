import numpy as np
import pytest
from PIL import Image

from noisyseg.labels import LabelError
from noisyseg.noise.browse.pictures import grey_picture, read_picture

ENTRY = {"id": 7, "file_name": "a.png", "height": 4, "width": 6}


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA", "1"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    Image.new("L", (6, 4), 255).convert(mode).save(tmp_path / "a.png")
    picture = read_picture(tmp_path, ENTRY)
    assert picture.dtype == np.uint8
    assert (picture == 255).all()
    assert picture.shape == (4, 6, 3)


def test_sixteen_bits_are_stretched(tmp_path):
    values = np.linspace(1000, 3000, 24).astype(np.uint16).reshape(4, 6)
    Image.fromarray(values).save(tmp_path / "a.png")
    picture = read_picture(tmp_path, ENTRY)
    assert (picture.min(), picture.max()) == (0, 255)
    assert (np.diff(picture[..., 0].ravel().astype(int)) > 0).all()


def test_it_is_turned_as_exif_says(tmp_path):
    image = Image.new("RGB", (4, 6))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.jpg", exif=exif)
    assert read_picture(tmp_path, ENTRY | {"file_name": "a.jpg"}).shape == (4, 6, 3)


def test_grey_has_the_size_of_the_image():
    assert grey_picture((4, 6)).shape == (4, 6, 3)


def test_another_size_is_refused(tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    with pytest.raises(LabelError, match=r"a\.png: image 7: expected 6 x 4 pixels.*got 9 x 9"):
        read_picture(tmp_path, ENTRY)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(LabelError, match=r"a\.png: image 7: expected an image, got no such file"):
        read_picture(tmp_path, ENTRY)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"not an image"])
def test_a_broken_file_is_named(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(LabelError, match=r"a\.png: image 7: cannot be read as an image"):
        read_picture(tmp_path, ENTRY)


@pytest.mark.parametrize("name", [None, "", 3])
def test_an_entry_without_a_file_name_is_refused(tmp_path, name):
    with pytest.raises(LabelError, match="image 7: file_name: expected a name"):
        read_picture(tmp_path, ENTRY | {"file_name": name})
