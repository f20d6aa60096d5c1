import cv2
import numpy as np
import orjson
import pytest
from PIL import Image
from scipy.io import savemat

from noisyseg.labels import LabelError
from noisyseg.labels.bsds500 import convert_bsds500

EDGES = np.zeros((3, 10, 12), bool)
EDGES[:, 4] = EDGES[1:, :, 3] = EDGES[2, 8] = True


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "BSDS500" / "data"
    for split, stems in (("train", ["35", "100"]), ("val", ["7"])):
        for folder in ("images", "groundTruth"):
            (root / folder / split).mkdir(parents=True)
        for stem in stems:
            cell = np.empty((1, 3), object)
            for a, edges in enumerate(EDGES):
                cell[0, a] = {"Segmentation": np.ones((10, 12), np.uint16), "Boundaries": edges}
            savemat(root / "groundTruth" / split / f"{stem}.mat", {"groundTruth": cell})
            cv2.imwrite(str(root / "images" / split / f"{stem}.jpg"), np.zeros((10, 12, 3), np.uint8))
    return root


def test_each_annotator_has_an_edge_image(root, tmp_path):
    out = tmp_path / "out"
    manifest = convert_bsds500(root, out)
    assert manifest["splits"] == {
        "train": {"images": 2, "edge images": 6},
        "val": {"images": 1, "edge images": 3},
    }
    assert orjson.loads((out / "bsds500.json").read_bytes()) == manifest
    lines = [line.split() for line in (out / "train.txt").read_text().splitlines()]
    assert lines[0] == ["images/train/100.jpg", "edges/train/100_1.png"]
    assert lines[5] == ["images/train/35.jpg", "edges/train/35_3.png"]
    for k, (image, edges) in enumerate(lines):
        assert (root / image).exists()
        np.testing.assert_array_equal(np.array(Image.open(out / edges)), EDGES[k % 3] * 255)


def test_the_mean_is_the_share_of_annotators(root, tmp_path):
    convert_bsds500(root, tmp_path / "out", splits=["val"], annotators="mean")
    assert (tmp_path / "out" / "val.txt").read_text() == "images/val/7.jpg edges/val/7.png\n"
    pixels = np.array(Image.open(tmp_path / "out" / "edges" / "val" / "7.png"))
    np.testing.assert_array_equal(pixels, np.array([0, 85, 170, 255])[EDGES.sum(axis=0)])


def test_nothing_is_written_when_something_is_missing(root, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(ValueError, match="annotators: expected 'each' or 'mean', got 'all'"):
        convert_bsds500(root, out, annotators="all")
    with pytest.raises(LabelError, match=r"groundTruth/test: expected files \*\.mat, got none"):
        convert_bsds500(root, out, splits=["test"])
    (root / "images" / "val" / "7.jpg").unlink()
    with pytest.raises(LabelError, match=r"7\.mat: expected the image images/val/7\.jpg, got none"):
        convert_bsds500(root, out)
    (root / "groundTruth" / "train" / "100.mat").write_bytes(b"none")
    with pytest.raises(LabelError, match=r"100\.mat: expected a \.mat file"):
        convert_bsds500(root, out, splits=["train"])
    assert not out.exists()


def test_real_labels_become_thin_edges(shared_dir, tmp_path):
    data = shared_dir / "data" / "bsds500" / "BSDS500" / "data"
    if not data.exists():
        pytest.skip(f"{data} is absent")
    (tmp_path / "groundTruth" / "val").mkdir(parents=True)
    (tmp_path / "images").symlink_to(data / "images")
    source = sorted((data / "groundTruth" / "val").glob("*.mat"))[0]
    (tmp_path / "groundTruth" / "val" / source.name).symlink_to(source)
    convert_bsds500(tmp_path, tmp_path / "out", splits=["val"], annotators="mean")
    pixels = np.array(Image.open(tmp_path / "out" / "edges" / "val" / f"{source.stem}.png"))
    with Image.open(data / "images" / "val" / f"{source.stem}.jpg") as image:
        assert pixels.shape == image.size[::-1]
    assert 0.01 < (pixels > 0).mean() < 0.3
