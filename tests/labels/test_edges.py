import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage
from skimage.segmentation import find_boundaries

from noisyseg.labels import Categories, LabelError, SemanticMap
from noisyseg.labels.edges import class_edges, edge_map, edge_radius, label_edges, thinned

MAPS = arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 3))


def blobs(size_hw=(60, 80), sigma=6):
    smooth = cv2.GaussianBlur(np.random.default_rng(0).normal(size=size_hw), (0, 0), sigma)
    return np.digitize(smooth, [-0.02, 0.02])


def by_definition(labels, radius, ignore=None):
    """Returns the edges of the definition, pixel by pixel."""
    edges = np.zeros(labels.shape, bool)
    for y, x in np.ndindex(labels.shape):
        for v, u in np.ndindex(labels.shape):
            near = 0 < (y - v) ** 2 + (x - u) ** 2 <= radius**2
            edges[y, x] |= near and labels[y, x] != labels[v, u] and ignore not in (labels[y, x], labels[v, u])
    return edges


@given(labels=MAPS, radius=st.sampled_from([1, 1.5, 2, 3.2]), ignore=st.sampled_from([None, 3]))
def test_a_pixel_is_edge_that_has_another_label_within_the_radius(labels, radius, ignore):
    np.testing.assert_array_equal(label_edges(labels, radius, ignore), by_definition(labels, radius, ignore))


@pytest.mark.parametrize("radius", [1, 2, 3, 5])
def test_edges_of_a_mask_are_those_of_the_distance_transform(radius):
    mask = blobs() == 1
    inside, outside = ndimage.distance_transform_edt(mask), ndimage.distance_transform_edt(~mask)
    np.testing.assert_array_equal(label_edges(mask.astype(int), radius), np.maximum(inside, outside) <= radius)


def test_radius_one_is_what_scikit_image_calls_thick():
    labels = blobs()
    np.testing.assert_array_equal(label_edges(labels, 1), find_boundaries(labels, connectivity=1, mode="thick"))


def test_thin_edges_are_one_pixel_wide_and_still_part_the_regions():
    labels = blobs()
    edges = label_edges(labels)
    assert 0.4 < edges.sum() / label_edges(labels, 1).sum() < 0.6
    np.testing.assert_array_equal(thinned(edges), edges)
    rooms, count = ndimage.label(~edges)
    regions, found = 0, [ndimage.label(labels == k) for k in range(3)]
    for numbers, of_class in found:
        regions += sum((~edges[numbers == number]).any() for number in range(1, of_class + 1))
    assert count == regions > 5
    for room in range(1, count + 1):
        assert len(np.unique(labels[(rooms == room) & ~label_edges(labels, 1)])) <= 1


@pytest.mark.parametrize("radius", [0, 1, 2, 3, 4])
def test_the_radius_is_found_again(radius):
    assert edge_radius(label_edges(blobs((160, 200), 20), radius)) == radius


def test_without_labels_that_differ_there_are_no_edges():
    for radius in (0, 2):
        assert not label_edges(np.full((5, 7), 4), radius).any()
    assert edge_radius(np.zeros((5, 7), bool)) == 0


def test_a_channel_is_the_edge_of_its_class_alone():
    labels = blobs()
    labels[10:14, 20:50] = 255
    for radius in (0, 2):
        edges = class_edges(labels, 4, radius)
        assert edges.shape == (4, 60, 80)
        for k in range(4):
            of_class = np.where(labels == 255, -2, labels == k)
            np.testing.assert_array_equal(edges[k], label_edges(of_class, radius, -2))
        assert not edges[3].any()
        assert not edges[:, labels == 255].any()
    assert edges.sum(0).max() > 1


def test_objects_of_one_class_have_an_edge_between_them_only_when_asked():
    classes = np.ones((6, 8), int)
    objects = np.repeat([[7, 7, 7, 7, 9, 9, 9, 9]], 6, axis=0)
    assert not class_edges(classes, 2, 2).any()
    edges = class_edges(classes, 2, 2, objects)
    assert not edges[0].any()
    np.testing.assert_array_equal(edges[1], np.repeat([[0, 0, 1, 1, 1, 1, 0, 0]], 6, axis=0))


def test_an_edge_map_knows_its_regions():
    labels = SemanticMap(blobs().astype(np.uint8), Categories.from_names("abc"))
    edges = edge_map(labels, 2)
    np.testing.assert_array_equal(edges.edges, class_edges(labels.classes, 3, 2))
    np.testing.assert_array_equal(edges.regions, labels.classes)
    objects = np.arange(80)[None] // 40 + np.zeros((60, 1), int)
    parted = edge_map(labels, 2, objects)
    assert len(np.unique(parted.regions)) == 6
    np.testing.assert_array_equal(label_edges(parted.regions, 2), parted.edges.any(axis=0))


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match=r"radius: expected 0 or a length >= 1, got 0\.5"):
        label_edges(blobs(), 0.5)
    with pytest.raises(ValueError, match="radius: expected 0 or a length >= 1, got nan"):
        class_edges(np.full((2, 2), 255), 3, float("nan"))
    with pytest.raises(LabelError, match=r"classes: expected 0\.\.1 or 255, got \[0, 1, 2\]"):
        class_edges(blobs(), 2)
    with pytest.raises(LabelError, match=r"instances: expected shape \(60, 80\), got \(5, 5\)"):
        class_edges(blobs(), 3, instances=np.zeros((5, 5), int))
