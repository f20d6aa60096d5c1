import numpy as np
import orjson
import pytest
from PIL import Image

from noisyseg.labels import LabelError
from noisyseg.labels.camvid import CAMVID_CLASSES, CLASS_OF, convert_camvid, read_camvid

# A colour of each class, and what is easily mixed up, written down independently of the table.
EXPECTED = {
    (128, 128, 128): "sky",
    (128, 0, 0): "building",
    (64, 192, 0): "building",
    (192, 192, 128): "pole",
    (128, 64, 128): "road",
    (128, 0, 192): "road",
    (0, 0, 192): "pavement",
    (128, 128, 0): "tree",
    (192, 128, 128): "sign",
    (0, 64, 64): "sign",
    (64, 64, 128): "fence",
    (64, 0, 128): "car",
    (64, 64, 0): "pedestrian",
    (192, 128, 64): "pedestrian",
    (0, 128, 192): "bicyclist",
    (0, 0, 0): None,
}


def test_the_table_knows_32_colours_and_11_classes():
    assert len(CLASS_OF) == 32
    assert set(CLASS_OF.values()) == set(range(12))
    for colour, name in EXPECTED.items():
        assert CLASS_OF[colour] == (11 if name is None else CAMVID_CLASSES.index(name))


def test_colours_become_classes(tmp_path):
    pixels = np.array(list(EXPECTED), np.uint8).reshape(2, 8, 3)
    Image.fromarray(pixels).save(tmp_path / "0001TP_006690_L.png")
    found = read_camvid(tmp_path / "0001TP_006690_L.png").classes.ravel().tolist()
    assert found == [255 if name is None else CAMVID_CLASSES.index(name) for name in EXPECTED.values()]


@pytest.mark.parametrize("mode", ["L", "P"])
def test_index_images_stay_but_for_void(tmp_path, mode):
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    image = Image.fromarray(pixels)
    if mode == "P":
        image.putpalette(np.random.default_rng(0).integers(0, 256, 768).tolist())
    image.save(tmp_path / "a.png")
    assert read_camvid(tmp_path / "a.png").classes.ravel().tolist() == [*range(11), 255]


def test_a_folder_becomes_a_folder(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("b_L", "a_L"):
        Image.fromarray(np.full((4, 6, 3), (64, 0, 128), np.uint8)).save(tmp_path / "in" / f"{name}.png")
    manifest = convert_camvid(tmp_path / "in", tmp_path / "out")
    assert manifest["images"] == 2
    assert orjson.loads((tmp_path / "out" / "camvid.json").read_bytes()) == manifest
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == ["a.png", "b.png"]
    np.testing.assert_array_equal(np.array(Image.open(tmp_path / "out" / "a.png")), 8)


def test_what_cannot_be_used_is_named(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    with pytest.raises(LabelError, match=r"in: expected files \*\.png, got none"):
        convert_camvid(folder, tmp_path / "out")
    Image.fromarray(np.full((4, 6, 3), (1, 2, 3), np.uint8)).save(folder / "a_L.png")
    with pytest.raises(LabelError, match=r"a_L\.png: expected the colours of CamVid's 32 labels, got \(1, 2, 3\)"):
        convert_camvid(folder, tmp_path / "out")
    Image.fromarray(np.full((4, 6), 12, np.uint8)).save(folder / "a.png")
    with pytest.raises(LabelError, match=r"a_L\.png: expected one label image for a, got a\.png too"):
        convert_camvid(folder, tmp_path / "out")
    (folder / "a_L.png").unlink()
    with pytest.raises(LabelError, match=r"a\.png: expected values 0\.\.11, got 12"):
        convert_camvid(folder, tmp_path / "out")
    (folder / "a.png").write_bytes(b"none")
    with pytest.raises(LabelError, match=r"a\.png: expected a PNG, got no image"):
        convert_camvid(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_real_index_images_are_read(camvid_dir):
    path = sorted((camvid_dir / "trainannot").glob("*.png"))[0]
    pixels = np.array(Image.open(path))
    classes = read_camvid(path).classes
    np.testing.assert_array_equal(classes, np.where(pixels == 11, 255, pixels))
