import numpy as np
import pytest
from PIL import Image

from noisyseg.labels import LabelError
from noisyseg.labels.colours import class_colour
from noisyseg.noise.browse import ImageChange, ObjectChange, browse_noise
from noisyseg.noise.browse.page import CLEAN_COLOUR, NOISY_COLOUR, ranked
from noisyseg.noise.browse.pictures import GREY


def shows(path, colour):
    """Return whether a pixel of the picture has about this colour; thin lines are mixed with what is under them."""
    pixels = np.asarray(Image.open(path)).astype(int)
    return bool((np.abs(pixels - colour).max(axis=2) < 40).any())


def browse(files, tmp_path, **settings):
    return browse_noise(*files, tmp_path / "page.png", **{"side": 64, **settings})


def test_most_changed_images_come_first_and_only_they_are_read(files, images, tmp_path):
    (images / "1.png").unlink()
    browsed = browse(files(), tmp_path, images=images, count=2)
    assert [change.image_id for change in browsed.shown] == [3, 2]
    assert [change.image_id for change in browsed.changes] == [1, 2, 3]
    assert Image.open(browsed.path).mode == "RGB"
    assert [path.name for path in tmp_path.glob("*page*")] == ["page.png"]


def test_a_changed_class_changes_the_colour(files, tmp_path):
    cat, dog = class_colour(0), class_colour(1)

    def edit(clean, noisy):
        for document in (clean, noisy):
            document["annotations"] = document["annotations"][2:3]
        noisy["annotations"][0]["category_id"] = 9

    same = browse(files(edit), tmp_path, side=480)
    assert shows(same.path, dog)
    assert not shows(same.path, cat)

    def edit_class(clean, noisy):
        edit(clean, noisy)
        noisy["annotations"][0]["category_id"] = 5

    changed = browse(files(edit_class), tmp_path, side=480, force=True)
    assert shows(changed.path, dog)
    assert shows(changed.path, cat)


def test_an_overlay_has_one_colour_a_version(files, tmp_path):
    path = browse(files(), tmp_path, overlay=True, side=480).path
    assert shows(path, CLEAN_COLOUR)
    assert shows(path, NOISY_COLOUR)
    assert not shows(path, class_colour(0))


def test_without_a_folder_it_draws_on_grey(files, tmp_path):
    assert shows(browse(files(), tmp_path).path, (GREY, GREY, GREY))


def test_columns_and_side_set_the_size(files, tmp_path):
    narrow = Image.open(browse(files(), tmp_path, columns=1).path).size
    wide = Image.open(browse(files(), tmp_path, columns=3, force=True).path).size
    large = Image.open(browse(files(), tmp_path, columns=1, side=128, force=True).path).size
    assert wide[0] > 2.5 * narrow[0]
    assert wide[1] < narrow[1]
    assert large[0] > 1.5 * narrow[0]


@pytest.mark.parametrize(("sort", "expected"), [("change", [2, 1, 3]), ("iou", [1, 2, 3]), ("order", [1, 2, 3])])
def test_orders(sort, expected):
    changes = [
        ImageChange(1, (ObjectChange(1, 0, 0, 0.2),)),
        ImageChange(2, (ObjectChange(2, 0, 1, 1.0),)),
        ImageChange(3, (ObjectChange(3, 0, 0, 1.0),)),
        ImageChange(4, ()),
    ]
    assert [change.image_id for change in ranked(changes, sort)] == expected


def test_a_random_sample_is_named_by_its_seed():
    changes = [ImageChange(i, (ObjectChange(i, 0, 0, 1.0),)) for i in range(50)]
    first, again, other = (ranked(changes, "random", seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert sorted(change.image_id for change in other) == list(range(50))


def test_an_unknown_order_is_refused():
    with pytest.raises(ValueError, match=r"sort: expected one of change, iou, order, random, got 'size'"):
        ranked([], "size")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"count": 0}, "count: expected at least 1, got 0"),
        ({"columns": 0}, "columns: expected at least 1, got 0"),
        ({"side": 10}, "side: expected at least 64, got 10"),
    ],
)
def test_a_number_out_of_range_is_refused(files, tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        browse(files(), tmp_path, **settings)


def test_a_picture_that_is_there_stays(files, tmp_path):
    (tmp_path / "page.png").write_bytes(b"mine")
    with pytest.raises(FileExistsError, match=r"page\.png: is there already"):
        browse(files(), tmp_path)
    assert (tmp_path / "page.png").read_bytes() == b"mine"


def test_only_png_is_written(files, tmp_path):
    with pytest.raises(ValueError, match=r"page\.jpg: expected a name that ends in \.png"):
        browse_noise(*files(), tmp_path / "page.jpg")


def test_files_without_objects_are_refused(files, tmp_path):
    def edit(clean, noisy):
        clean["annotations"].clear()
        noisy["annotations"].clear()

    with pytest.raises(ValueError, match="no image that both files have has an object"):
        browse(files(edit), tmp_path)


def test_a_picture_that_was_there_survives_an_error(files, images, tmp_path):
    (tmp_path / "page.png").write_bytes(b"mine")
    (images / "3.png").write_bytes((images / "3.png").read_bytes()[:60])
    with pytest.raises(LabelError, match=r"3\.png: image 3: cannot be read as an image"):
        browse(files(), tmp_path, images=images, force=True)
    assert (tmp_path / "page.png").read_bytes() == b"mine"
    assert not list(tmp_path.glob("*.partial"))
