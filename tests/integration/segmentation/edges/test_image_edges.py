import cv2
import numpy as np
import pytest
from scipy import ndimage

from noisyseg.integration.segmentation.edges.image_edges import ComputeImageEdges
from noisyseg.labels import LabelError


@pytest.fixture
def photograph(camvid_dir):
    return cv2.imread(str(sorted((camvid_dir / "val").glob("*.png"))[0]))


def edges_of(image, **settings):
    return ComputeImageEdges(**settings)({"img": image, "seg_fields": []})["gt_image_edges"]


def test_a_disk_has_its_outline():
    rows, columns = np.mgrid[:60, :80]
    distance = np.hypot(rows - 30, columns - 40)
    image = np.where(distance < 18, 220, 30).astype(np.uint8)
    found = ComputeImageEdges()({"img": np.repeat(image[..., None], 3, axis=2), "seg_fields": ["gt_seg_map"]})
    edges = found["gt_image_edges"]
    assert (edges.dtype, edges.shape, set(np.unique(edges))) == (np.uint8, (60, 80), {0, 1})
    assert found["seg_fields"] == ["gt_seg_map", "gt_image_edges"]
    assert (abs(distance[edges > 0] - 18) < 2).all()
    assert ndimage.label(edges, np.ones((3, 3)))[1] == 1
    assert 90 < edges.sum() < 140
    np.testing.assert_array_equal(edges_of(image), edges)


def test_every_edge_has_the_gradient_that_was_asked_for(photograph):
    """Gradients by scipy: an edge pixel is at least as steep as ``low``, and each edge is as steep as ``high`` once."""
    edges = edges_of(photograph)
    grey = cv2.GaussianBlur(cv2.cvtColor(photograph, cv2.COLOR_BGR2GRAY), (5, 5), 1.5).astype(float)
    steep = np.hypot(ndimage.sobel(grey, 0, mode="nearest"), ndimage.sobel(grey, 1, mode="nearest"))
    assert edges.sum() > 1000
    assert (steep[edges > 0] >= 25).all()
    numbers, count = ndimage.label(edges, np.ones((3, 3)))
    assert (ndimage.maximum(steep, numbers, range(1, count + 1)) >= 150).all()


def test_lower_thresholds_and_less_blur_find_more(photograph):
    count = int(edges_of(photograph).sum())
    assert int(edges_of(photograph, low=10, high=100).sum()) > count
    assert int(edges_of(photograph, sigma=0.5).sum()) > count
    assert int(edges_of(photograph, blur=1).sum()) > count
    assert not edges_of(np.full((20, 20, 3), 77, np.uint8)).any()


def test_colours_are_blue_green_red(photograph):
    grey = cv2.cvtColor(photograph, cv2.COLOR_BGR2GRAY)
    np.testing.assert_array_equal(edges_of(photograph), edges_of(grey))
    assert (edges_of(photograph[..., ::-1].copy()) != edges_of(grey)).any()


def test_a_second_time_replaces_the_first(photograph):
    sample = ComputeImageEdges(low=250, high=300)({"img": photograph, "seg_fields": []})
    again = ComputeImageEdges()(sample)
    assert again["seg_fields"] == ["gt_image_edges"]
    np.testing.assert_array_equal(again["gt_image_edges"], edges_of(photograph))


@pytest.mark.parametrize(
    ("image", "got"),
    [
        (None, r"\(\) of NoneType"),
        (np.zeros((4, 4, 3), np.float32), r"\(4, 4, 3\) of float32"),
        (np.zeros((4, 4, 4), np.uint8), r"\(4, 4, 4\) of uint8"),
    ],
)
def test_what_is_no_image_is_an_error_that_names_the_file(image, got):
    with pytest.raises(LabelError, match=rf"a\.png: ComputeImageEdges: expected an image of .*, got {got}"):
        ComputeImageEdges()({"img": image, "img_path": "a.png"})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"blur": 4}, "blur: expected an odd number of pixels, got 4"),
        ({"sigma": 0}, "sigma: expected a length > 0, got 0"),
        ({"low": 200}, "low, high: expected 0 <= low <= high, got 200 and 150"),
    ],
)
def test_settings_that_cannot_be_used(settings, message):
    with pytest.raises(ValueError, match=message):
        ComputeImageEdges(**settings)
