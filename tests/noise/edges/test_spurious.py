import numpy as np
import pytest
from scipy import ndimage

from noisyseg.labels.edges import edge_map, edge_radius
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.edges import EdgeSpurious
from noisyseg.noise.kernels.edges import canny_edges


@pytest.fixture
def textured(blobs):
    """Returns the blobs with an image of squares that have nothing to do with them."""
    squares = np.kron(np.random.default_rng(0).integers(0, 2, (12, 16)), np.ones((20, 20))) * 200
    return blobs.replace(image=np.repeat(squares[..., None], 3, axis=2).astype(np.uint8))


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5])
def test_exactly_the_rate_is_added_away_from_the_true_edges(textured, rate):
    labels = edge_map(textured)
    union = labels.edges.any(axis=0)
    canny = canny_edges(textured.image, 1.5, 25, 150)
    for seed in range(3):
        noisy = EdgeSpurious(rate)(labels, keyed_rng(seed))
        added = noisy.edges.any(axis=0) & ~union
        assert added.sum() == round(rate * union.sum())
        assert ndimage.distance_transform_edt(~union)[added].min() > 5
        assert canny[added].all()
        assert (noisy.edges >= labels.edges).all()
        assert noisy.regions is None


def test_wide_edges_get_wide_segments(textured):
    labels = edge_map(textured, 2)
    union = labels.edges.any(axis=0)
    noisy = EdgeSpurious(0.3)(labels, keyed_rng(0)).edges.any(axis=0)
    added = noisy & ~union
    assert edge_radius(added) in (1, 2)
    assert added.sum() == pytest.approx(0.3 * union.sum(), rel=0.3)
    assert ndimage.distance_transform_edt(~union)[added].min() > 5


def test_where_the_image_has_too_few_edges_all_are_added(textured):
    labels = edge_map(textured)
    noisy, params = EdgeSpurious(50)(labels, keyed_rng(0)), EdgeSpurious(50).sample(labels, keyed_rng(0))
    added = noisy.edges.any(axis=0) & ~labels.edges.any(axis=0)
    assert params["asked"] == round(50 * labels.edges.any(axis=0).sum())
    assert sum(count for _, count, _ in params["segments"]) == added.sum() < params["asked"]
    flat = labels.replace(image=np.zeros_like(labels.image))
    assert EdgeSpurious(1)(flat, keyed_rng(0)) is flat


def test_every_channel_that_has_edges_gets_some_and_no_other(textured):
    labels = edge_map(textured)
    labels = labels.replace(edges=labels.edges * np.array([1, 0, 1], bool)[:, None, None])
    noisy = EdgeSpurious(0.6)(labels, keyed_rng(0)).edges
    assert (noisy.sum(axis=(1, 2)) > labels.edges.sum(axis=(1, 2))).tolist() == [True, False, True]


def test_the_share_on_real_images_is_met(bsds_labels):
    for labels in bsds_labels:
        noisy = EdgeSpurious(0.1)(labels, keyed_rng(0))
        assert noisy.edges.sum() == labels.edges.sum() + round(0.1 * labels.edges.sum())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rate": -0.1}, r"rate: expected a share >= 0, got -0\.1"),
        ({"rate": 1, "distance": -1}, "distance: expected a length >= 0, got -1"),
        ({"rate": 1, "shortest": 0}, "shortest: expected a number of pixels >= 1, got 0"),
        ({"rate": 1, "sigma": 0}, "sigma: expected a length > 0, got 0"),
        ({"rate": 1, "low": 200}, r"low: expected a threshold in \[0, high = 150\], got 200"),
    ],
)
def test_bad_settings_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        EdgeSpurious(**arguments)
