import numpy as np
import pytest
from scipy import ndimage

from noisyseg.labels import Categories, EdgeMap, SemanticMap
from noisyseg.labels.edges import edge_map, edge_radius, label_edges
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.edges import EdgeBias, EdgeCoarse, EdgeShift


@pytest.mark.parametrize("offset", [-8, -3, 2, 5, 12])
@pytest.mark.parametrize("known", [True, False])
def test_a_circle_gets_another_radius(disc, offset, known):
    labels = disc(40)
    labels = labels if known else labels.replace(regions=None)
    noisy = EdgeBias(offset)(labels, keyed_rng(0))
    rows, columns = np.nonzero(noisy.edges[0])
    clean = np.hypot(*(np.argwhere(labels.edges[0]) - 80).T).mean()
    assert np.hypot(rows - 80, columns - 80).mean() == pytest.approx(clean + offset, abs=0.75)
    assert np.hypot(rows - 80, columns - 80).std() < 0.6


@pytest.mark.parametrize("radius", [0, 2])
def test_edges_keep_their_width_and_classes(blobs, radius):
    labels = edge_map(blobs, radius)
    noisy = EdgeBias(3)(labels, keyed_rng(0))
    assert edge_radius(noisy.edges.any(axis=0)) == radius
    np.testing.assert_array_equal(noisy.edges.any(axis=0), label_edges(noisy.regions, radius))
    assert (noisy.edges.any(axis=(1, 2)) == labels.edges.any(axis=(1, 2))).all()


def test_what_encloses_nothing_stays(disc):
    labels = disc(20).replace(regions=None)
    edges = labels.edges.copy()
    edges[0, 5, 10:60] = True
    noisy = EdgeBias(4)(labels.replace(edges=edges), keyed_rng(0))
    assert noisy.edges[0, 5, 10:60].all()
    assert not (noisy.edges[0] & labels.edges[0]).any()


def test_small_objects_vanish(disc):
    noisy = EdgeBias(-6)(disc(4), keyed_rng(0))
    assert not noisy.edges.any()
    assert not noisy.regions.any()


def test_the_distance_on_real_edges_is_the_offset(bsds_labels):
    for labels in bsds_labels:
        noisy = EdgeBias(3)(labels, keyed_rng(0))
        distance = ndimage.distance_transform_edt(~labels.edges[0])[noisy.edges[0]]
        assert 2 < np.median(distance) < 4


def test_a_bad_offset_is_refused():
    with pytest.raises(ValueError, match="offset: expected a finite length, got inf"):
        EdgeBias(float("inf"))
    assert EdgeBias(2).settings == {"offset": 2, "ground": None}
    empty = EdgeMap(np.zeros((1, 5, 5), bool), Categories.from_names("e"))
    assert EdgeBias(2)(empty, keyed_rng(0)) is empty


@pytest.mark.parametrize("noise", [EdgeBias(5), EdgeCoarse(10), EdgeShift(4)])
def test_the_border_of_ignored_pixels_is_no_edge_afterwards_either(noise):
    classes = np.zeros((120, 160), np.uint8)
    classes[:, 80:] = 1
    classes[60:] = 255
    labels = edge_map(SemanticMap(classes, Categories.from_names("ab")), 2)
    noisy = noise(labels, keyed_rng(0)).edges.any(axis=0)
    assert noisy.sum() == pytest.approx(labels.edges.any(axis=0).sum(), rel=0.2)
    assert not noisy[:, :60].any()
    assert not noisy[:, 100:].any()
