"""Edges are drawn from the label map as augmentation left it."""

import cv2
import numpy as np
import pytest
from mmcv.transforms import Compose
from mmengine.registry import init_default_scope
from skimage.morphology import thin

from noisyseg.integration.segmentation.edges.edges_from_labels import EdgesFromLabels
from noisyseg.labels import LabelError
from noisyseg.labels.edge_bits import IGNORED_BITS, packed_edges, unpacked_edges
from noisyseg.labels.edges import class_edges


@pytest.fixture
def labels():
    numbers = np.random.default_rng(0).integers(0, 4, (6, 8)).astype(np.uint8)
    numbers = np.kron(numbers, np.ones((9, 7), np.uint8))
    numbers[:4] = 255
    return numbers


def sample(labels, **fields):
    return {"gt_seg_map": labels, "seg_fields": ["gt_seg_map"], "img_path": "a.png"} | fields


def bits_of(labels, *args, **settings):
    return EdgesFromLabels(*args, **settings)(sample(labels))["gt_edge_bits"]


@pytest.mark.parametrize("radius", [1, 2, 3])
def test_the_edges_are_those_of_the_label_map(labels, radius):
    found = EdgesFromLabels(4, radius)(sample(labels))
    assert found["seg_fields"] == ["gt_seg_map", "gt_edge_bits"]
    assert found["gt_edge_bits"].dtype == np.int32
    np.testing.assert_array_equal(
        found["gt_edge_bits"], packed_edges(class_edges(labels, 4, radius), ignored=labels == 255)
    )


def test_background_bounds_and_has_no_edges(labels):
    expected = packed_edges(class_edges(labels, 4, 2)[1:], ignored=labels == 255)
    np.testing.assert_array_equal(bits_of(labels, 3, background=True), expected)


def test_all_classes_in_one(labels):
    expected = packed_edges(class_edges(labels, 4, 1).any(axis=0, keepdims=True), ignored=labels == 255)
    np.testing.assert_array_equal(bits_of(labels, 4, 1, agnostic=True), expected)
    two = np.repeat(np.array([[0, 0, 1, 1, 0]], np.uint8), 3, axis=0)
    assert bits_of(two, 1, 1, background=True, agnostic=True).tolist() == [[0, 1, 1, 1, 1]] * 3


@pytest.mark.parametrize("settings", [{}, {"background": True}, {"agnostic": True}])
def test_thin_edges_are_the_bands_thinned_class_by_class(labels, settings):
    count = 4 - settings.get("background", False)
    bits = bits_of(labels, count, 2, thin=True, **settings)
    band = bits_of(labels, count, 2, **settings)
    channels = 1 if "agnostic" in settings else count
    for thinned, wide in zip(unpacked_edges(bits, channels), unpacked_edges(band, channels), strict=True):
        np.testing.assert_array_equal(thinned, thin(wide))
    np.testing.assert_array_equal(bits == IGNORED_BITS, labels == 255)


def test_objects_of_one_class_have_an_edge_between_them():
    labels = np.zeros((4, 8), np.uint8)
    objects = np.repeat([[1, 2]], 4, axis=0).repeat(4, axis=1).astype(np.int32)
    step = EdgesFromLabels(1, 1, instances="gt_instance_map")
    found = step(sample(labels, gt_instance_map=objects))["gt_edge_bits"]
    assert found.tolist() == [[0, 0, 0, 1, 1, 0, 0, 0]] * 4
    assert not bits_of(labels, 1, 1).any()


def test_a_map_without_borders_has_empty_edges():
    assert bits_of(np.full((5, 6), 3, np.uint8), 4).tolist() == [[0] * 6] * 5
    assert bits_of(np.full((5, 6), 3, np.uint8), 4, thin=True).tolist() == [[0] * 6] * 5
    assert (bits_of(np.full((5, 6), 255, np.uint8), 4, thin=True) == IGNORED_BITS).all()


def test_zero_labels_that_are_reduced_are_ignored_and_bound_nothing(tmp_path):
    """mmseg makes label 0 ignored then: to let it bound the classes, keep it and set ``background``."""
    init_default_scope("mmseg")
    labels = np.repeat([[0, 1, 2]], 6, axis=0).repeat(6, axis=1).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), labels)
    step = {"type": "noisyseg.EdgesFromLabels", "num_classes": 2, "radius": 1}
    info = {"seg_map_path": str(tmp_path / "a.png"), "seg_fields": [], "label_map": None}
    reduced = Compose([{"type": "LoadAnnotations"}, step])(info | {"reduce_zero_label": True})["gt_edge_bits"]
    assert reduced[0].tolist() == [IGNORED_BITS] * 6 + [0] * 5 + [3, 3] + [0] * 5
    kept = Compose([{"type": "LoadAnnotations"}, step | {"background": True}])
    kept = kept(info | {"seg_fields": [], "reduce_zero_label": False})["gt_edge_bits"]
    assert kept[0].tolist() == [0] * 5 + [1, 1] + [0] * 4 + [3, 3] + [0] * 5


def test_behind_augmentation_edges_stay_whole_and_fit_the_labels(labels):
    init_default_scope("mmseg")
    augment = [
        dict(type="RandomResize", scale=(60, 60), ratio_range=(0.4, 1.6), keep_ratio=True),
        dict(type="RandomCrop", crop_size=(40, 40)),
        dict(type="RandomFlip", prob=0.5),
        dict(type="RandomRotate", prob=0.5, degree=30),
    ]
    pack = dict(type="noisyseg.PackSegInputs")
    pipeline = Compose([*augment, dict(type="noisyseg.EdgesFromLabels", num_classes=4), pack])
    ignored = 0
    for _ in range(8):
        fields = sample(labels.copy(), img=np.repeat(labels[..., None], 3, axis=2), img_shape=labels.shape)
        packed = pipeline(fields)["data_samples"]
        moved, bits = packed.gt_sem_seg.data.numpy()[0], packed.gt_edge_bits.data.numpy()
        np.testing.assert_array_equal(bits[0], packed_edges(class_edges(moved, 4, 2), ignored=moved == 255))
        assert bits.shape == (1, *moved.shape)
        ignored += int((bits == IGNORED_BITS).sum())
    assert ignored > 0


def test_what_cannot_be_drawn_is_an_error_that_names_the_file(labels):
    with pytest.raises(LabelError, match=r"^a\.png: EdgesFromLabels: expected gt_seg_map, got img_path"):
        EdgesFromLabels(4)({"img_path": "a.png"})
    with pytest.raises(LabelError, match=r"^b\.png: EdgesFromLabels: labels: expected 0\.\.2 or 255, got \[3\]"):
        EdgesFromLabels(3)(sample(labels, seg_map_path="b.png"))
    with pytest.raises(LabelError, match=r"a\.png: EdgesFromLabels: expected objects, got gt_seg_map"):
        EdgesFromLabels(4, instances="objects")(sample(labels))
    with pytest.raises(LabelError, match=r"EdgesFromLabels: instances: expected \(54, 56\), got \(54, 55\)"):
        EdgesFromLabels(4, instances="objects")(sample(labels, objects=labels[:, 1:]))
    with pytest.raises(LabelError, match="expected labels that still have their background, got reduce_zero_label"):
        EdgesFromLabels(3, background=True)(sample(labels, reduce_zero_label=True))
    with pytest.raises(LabelError, match="EdgesFromLabels: expected a sample without gt_edge_bits"):
        EdgesFromLabels(4)(sample(labels, gt_edge_bits=labels))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_classes": 0}, r"num_classes: expected 1\.\.31, got 0"),
        ({"num_classes": 32}, r"num_classes: expected 1\.\.31, got 32"),
        ({"num_classes": 31, "background": True}, r"num_classes: expected 1\.\.30, got 31"),
        ({"num_classes": 3, "radius": 0}, "radius: expected a whole number >= 1, got 0"),
    ],
)
def test_settings_that_cannot_be_used(settings, message):
    with pytest.raises(ValueError, match=message):
        EdgesFromLabels(**settings)
