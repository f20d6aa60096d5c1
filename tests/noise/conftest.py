"""Labels to make noisy, and the table of canonical settings."""

import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest

from noisyseg.labels import Categories, Instances, Mask, SemanticMap

TABLE = {"EVERY": {}, "NOTHING": {}, "MAPS": {}, "EDGES": {}}
for path in sorted(Path(__file__).parent.rglob("canonical.py")):
    for kind, rows in runpy.run_path(str(path)).items():
        if kind in TABLE:
            TABLE[kind] |= rows
SIZE_HW = (60, 80)


def pytest_generate_tests(metafunc):
    """Run a test that asks for `every_config` once for every row of the table, and so on."""
    for name, rows in (
        ("every_config", "EVERY"),
        ("nothing_config", "NOTHING"),
        ("map_config", "MAPS"),
        ("edge_config", "EDGES"),
    ):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, TABLE[rows].values(), ids=TABLE[rows].keys())


@pytest.fixture(scope="session")
def canonical():
    return TABLE


def _frames():
    """Returns frames of many kinds: round, with a hole, of two parts, at the border, whole, thin, tiny."""
    frames = np.zeros((9, *SIZE_HW), np.uint8)
    cv2.circle(frames[0], (40, 30), 14, 1, -1)
    cv2.circle(frames[1], (30, 30), 18, 1, -1)
    cv2.circle(frames[1], (32, 28), 7, 0, -1)
    cv2.circle(frames[2], (12, 15), 8, 1, -1)
    cv2.rectangle(frames[2], (50, 40), (70, 50), 1, -1)
    frames[3][40:60, 0:25] = 1
    frames[4][:] = 1
    frames[5][20, 10:60] = 1
    frames[6][33, 44] = 1
    cv2.fillPoly(frames[7], [np.array([[10, 5], [60, 12], [35, 50]])], 1)
    frames[8][np.random.default_rng(0).random(SIZE_HW) < 0.3] = 1
    return frames


@pytest.fixture(scope="session")
def frames():
    return _frames()


@pytest.fixture
def labels(frames):
    """Returns nine objects of three classes; the last is a crowd."""
    crowd = np.zeros(len(frames), bool)
    crowd[-1] = True
    categories = Categories((2, 5, 9), ("two", "five", "nine"), ("a", "a", "b"))
    masks = [Mask.from_frame(frame) for frame in frames]
    classes = np.arange(len(frames)) % 3
    return Instances.from_masks(masks, classes, categories, SIZE_HW, 11 * np.arange(1, 10)).replace(crowd=crowd)


@pytest.fixture
def label_map():
    """Returns a map of four classes with regions of many sizes, and ignored pixels."""
    smooth = cv2.GaussianBlur(np.random.default_rng(3).normal(size=SIZE_HW), (0, 0), 4)
    classes = np.digitize(smooth, [-0.08, 0, 0.08]).astype(np.uint8)
    classes[10:15, 20:60] = 255
    return SemanticMap(classes, Categories.from_names(("ground", "a", "b", "c")))


@pytest.fixture(scope="session")
def assert_equal_labels():
    """Returns a function that asserts that two `Instances` say the same."""

    def compare(one, other):
        for name in ("boxes", "classes", "source", "crowd"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert (one.masks is None) == (other.masks is None)
        assert [mask.rle for mask in one.masks or ()] == [mask.rle for mask in other.masks or ()]

    return compare
