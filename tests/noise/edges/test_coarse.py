import numpy as np
import pytest

from noisyseg.labels.edges import edge_map, edge_radius, label_edges
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.edges import EdgeCoarse
from noisyseg.noise.kernels.coarse import coarse_polygon


@pytest.mark.parametrize("delta", [4, 8, 16])
def test_edges_are_those_of_the_coarse_polygon(disc, delta):
    labels = disc(50)
    noisy = EdgeCoarse(delta, ground=0)(labels, keyed_rng(0))
    polygon = coarse_polygon(labels.regions.astype(np.uint8), delta)
    np.testing.assert_array_equal(noisy.regions, polygon)
    np.testing.assert_array_equal(noisy.edges[0], label_edges(polygon))


def test_coarser_edges_are_farther_away(disc):
    # One-sided distances of a circle of radius 50, published for delta 4, 8 and 16.
    for delta, published in ((4, 1.2), (8, 3.4), (16, 7.8)):
        noisy = EdgeCoarse(delta, ground=0)(disc(50), keyed_rng(0))
        rows, columns = np.nonzero(noisy.edges[0])
        assert 50 - np.hypot(rows - 80, columns - 80).mean() == pytest.approx(published, abs=0.9)


@pytest.mark.parametrize("delta", [4, 8, 16])
def test_each_border_of_a_partition_is_one_edge(bsds_labels, delta):
    for labels in bsds_labels:
        noisy = EdgeCoarse(delta)(labels, keyed_rng(0))
        assert edge_radius(noisy.edges[0]) == 0
        assert 0.6 < noisy.edges.sum() / labels.edges.sum() < 1.1


def test_edges_keep_their_width_and_classes(blobs):
    labels = edge_map(blobs, 2)
    noisy = EdgeCoarse(8)(labels, keyed_rng(0))
    assert edge_radius(noisy.edges.any(axis=0)) == 2
    assert (noisy.edges.any(axis=(1, 2)) == labels.edges.any(axis=(1, 2))).all()


def test_what_encloses_nothing_stays(disc):
    labels = disc(20).replace(regions=None)
    edges = labels.edges.copy()
    edges[0, 5, 10:60] = True
    assert EdgeCoarse(6)(labels.replace(edges=edges), keyed_rng(0)).edges[0, 5, 10:60].all()


@pytest.mark.parametrize("delta", [-1, 2.5])
def test_a_bad_delta_is_refused(delta):
    with pytest.raises(ValueError, match=f"delta: expected a whole number >= 0, got {delta}"):
        EdgeCoarse(delta)
