import numpy as np
import pytest
from PIL import Image

from noisyseg.labels.check import check_coco


@pytest.fixture
def folder(tmp_path):
    """The two images of the valid document."""
    folder = tmp_path / "images"
    (folder / "sub").mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "a.png")
    Image.fromarray(pixels).save(folder / "sub" / "b.jpg")
    return folder


def found(path, folder):
    return [(finding.code, finding.image) for finding in check_coco(path, folder)]


def truncate(path, keep=0.6):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])


def save_rotated(path, orientation, size=(40, 30)):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", size).save(path, exif=exif)


def test_complete_images_have_no_findings(document, save, folder):
    assert found(save(document), folder) == []


def test_a_folder_that_is_not_there(document, save, folder):
    for absent in (folder / "absent", folder / "a.png", "nul\0l"):
        assert found(save(document), absent) == [("images-folder-missing", None)]


def test_a_missing_file(document, save, folder):
    (folder / "a.png").unlink()
    assert found(save(document), folder) == [("image-missing", 1)]


@pytest.mark.parametrize("name", ["../a.png", "/absent/a.png", "nul\0l.png", "\ud800.png", "x" * 5000])
def test_a_name_that_leads_nowhere_is_missing(name, document, save, folder):
    document["images"][0]["file_name"] = name
    assert ("image-missing", 1) in found(save(document), folder)


def test_a_name_in_another_case(document, save, folder):
    document["images"][1]["file_name"] = "Sub/B.JPG"
    findings = check_coco(save(document), folder)
    assert [finding.code for finding in findings] == ["image-case"]
    assert findings[0].message == "expected 'Sub/B.JPG', got 'sub/b.jpg'"


@pytest.mark.parametrize("name", ["a.png", "sub/b.jpg"])
@pytest.mark.parametrize("keep", [0.5, 0.95])
def test_a_truncated_file(name, keep, document, save, folder):
    truncate(folder / name, keep)
    assert [code for code, _ in found(save(document), folder)] == ["image-truncated"]


def test_bytes_after_the_end_of_an_image_are_harmless(document, save, folder):
    with (folder / "a.png").open("ab") as file:
        file.write(bytes(5000))
    assert found(save(document), folder) == []


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_no_image(content, document, save, folder):
    (folder / "a.png").write_bytes(content)
    assert found(save(document), folder) == [("image-unreadable", 1)]


def test_a_size_that_differs(document, save, folder):
    Image.new("RGB", (41, 30)).save(folder / "a.png")
    (finding,) = check_coco(save(document), folder)
    assert (finding.code, finding.image) == ("image-size-differs", 1)
    assert finding.message == "expected 40 x 30 px, got a file of 41 x 30 px"


@pytest.mark.parametrize(
    ("orientation", "size", "code"),
    [
        (6, (40, 30), "image-rotated"),
        (6, (30, 40), "image-rotated"),
        (3, (40, 30), "image-rotated"),
        (6, (50, 30), "image-size-differs"),
    ],
)
def test_exif_rotation_is_noted(orientation, size, code, document, save, folder):
    save_rotated(folder / "sub" / "b.jpg", orientation, size)
    assert found(save(document), folder) == [(code, 2)]


def test_files_that_no_entry_names(document, save, folder):
    Image.new("RGB", (4, 4)).save(folder / "c.png")
    (folder / "notes.txt").write_text("no image")
    (finding,) = check_coco(save(document), folder)
    assert (finding.code, finding.message) == (
        "image-extra",
        "expected an image for each file, got none for 1: 'c.png'",
    )


def test_an_absolute_name_is_looked_up_where_it_points(document, save, folder):
    document["images"][0]["file_name"] = str(folder / "a.png")
    assert [code for code, _ in found(save(document), folder)] == ["file-name-absolute", "image-extra"]
