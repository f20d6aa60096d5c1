"""Edge labels come from their files, choose among annotators, and move with the image."""

import cv2
import numpy as np
import pytest
from mmcv.transforms import Compose
from mmengine.registry import init_default_scope
from scipy.io import savemat

from noisyseg.integration.segmentation.edges.load_edge_labels import LoadEdgeLabels
from noisyseg.labels import LabelError
from noisyseg.labels.edge_bits import IGNORED_BITS
from noisyseg.labels.edge_files import write_edge_bits


def write_annotators(path, annotators):
    cell = np.empty((1, len(annotators)), object)
    for place, edges in enumerate(annotators):
        cell[0, place] = {"Segmentation": np.ones(edges.shape, np.uint16), "Boundaries": edges}
    savemat(path, {"groundTruth": cell})


@pytest.fixture
def files(tmp_path):
    """An image whose three channels are the edges of a class each; and three annotators of another one."""
    init_default_scope("mmseg")
    edges = np.zeros((40, 60, 3), np.uint8)
    edges[10:30, 20], edges[10, 20:50], edges[:, 35] = (1, 0, 0), (1, 1, 0), (0, 0, 1)
    cv2.imwrite(str(tmp_path / "a.png"), edges * 200)
    bits = (edges * np.array([1, 2, 4])).sum(axis=2).astype(np.int32)
    write_edge_bits(tmp_path / "edges.png", bits, 3)
    write_annotators(tmp_path / "a.mat", [np.arange(2400).reshape(40, 60) % 7 < place for place in (1, 2, 3)])
    return tmp_path


def info(files, edges="edges.png", **fields):
    return {"img_path": str(files / "a.png"), "edge_path": str(files / edges), "seg_fields": []} | fields


def pipeline(*steps, **settings):
    load = {"type": "noisyseg.LoadEdgeLabels", "num_classes": 3} | settings
    return Compose([dict(type="mmengine.LoadImageFromFile"), load, *steps])


def test_edges_move_with_the_image(files):
    run = pipeline(
        dict(type="RandomResize", scale=(90, 60), ratio_range=(1, 2), keep_ratio=True),
        dict(type="RandomCrop", crop_size=(36, 50)),
        dict(type="RandomFlip", prob=0.5, direction=["horizontal", "vertical"]),
        dict(type="noisyseg.PackSegInputs"),
    )
    run.transforms[2].resize.interpolation = "nearest"
    for _ in range(6):
        packed = run(info(files))
        bits = packed["data_samples"].gt_edge_bits.data
        assert bits.shape == (1, 36, 50)
        shown = packed["inputs"].numpy().astype(int) // 200
        np.testing.assert_array_equal(bits[0], (shown * np.array([1, 2, 4])[:, None, None]).sum(axis=0))


@pytest.mark.parametrize(
    "step",
    [
        dict(type="RandomRotate", prob=1.0, degree=(30, 30), pad_val=255, seg_pad_val=255),
        dict(type="RandomCutOut", prob=1.0, n_holes=3, cutout_shape=(10, 10), fill_in=(255,) * 3, seg_fill_in=255),
    ],
)
def test_what_a_transform_fills_is_ignored(files, step):
    packed = pipeline(step, dict(type="noisyseg.PackSegInputs"), keep_annotators=True)(info(files))
    sample = packed["data_samples"]
    bits, filled = sample.gt_edge_bits.data[0].numpy(), (packed["inputs"].numpy() == 255).any(axis=0)
    assert 50 < filled.sum() < 2000
    assert (bits[filled] == IGNORED_BITS).all()
    assert set(np.unique(bits[~filled])) <= {IGNORED_BITS, 0, 1, 3, 4, 5, 7}
    np.testing.assert_array_equal(sample.gt_edge_annotators.data[0], bits)
    assert "gt_edge_frame" not in sample


def test_each_annotator_is_kept_for_scores(files):
    run = pipeline(dict(type="noisyseg.PackSegInputs"), num_classes=1, keep_annotators=True)
    sample = run(info(files, "a.mat"))["data_samples"]
    assert sample.gt_edge_annotators.data.shape == (3, 40, 60)
    assert sample.gt_edge_annotators.data.sum(dim=(1, 2)).tolist() == [343, 686, 1029]
    assert (sample.gt_edge_bits.data[0] == sample.gt_edge_annotators.data[0]).all()


def test_which_annotator_is_trained_on(files):
    run = {name: pipeline(num_classes=1, annotators=name, share=0.5) for name in ("first", "any", "mean", "random")}
    totals = {name: int((step(info(files, "a.mat"))["gt_edge_bits"] == 1).sum()) for name, step in run.items()}
    assert (totals["first"], totals["any"], totals["mean"]) == (343, 1029, 686)
    ignored = run["mean"](info(files, "a.mat"))["gt_edge_bits"] == IGNORED_BITS
    assert ignored.sum() == 343
    drawn = {int(run["random"](info(files, "a.mat"))["gt_edge_bits"].sum()) for _ in range(60)}
    assert drawn == {343, 686, 1029}


def test_the_draw_is_that_of_the_host_s_seed(files):
    run = pipeline(num_classes=1, annotators="random")
    draws = []
    for _ in range(2):
        np.random.seed(3)  # noqa: NPY002 - what mmengine seeds
        draws.append([int(run(info(files, "a.mat"))["gt_edge_bits"].sum()) for _ in range(10)])
    assert draws[0] == draws[1]
    assert len(set(draws[0])) > 1


def test_what_does_not_fit_is_an_error_that_names_the_file(files):
    with pytest.raises(LabelError, match=r"a\.png: LoadEdgeLabels: expected edge_path, got img_path"):
        LoadEdgeLabels(3)({"img_path": "a.png"})
    with pytest.raises(LabelError, match=r"LoadEdgeLabels: expected ori_shape, got edge_path"):
        LoadEdgeLabels(3)({"edge_path": "a.png"})
    with pytest.raises(LabelError, match=r"edges\.png: LoadEdgeLabels: expected reduce_zero_label=False"):
        pipeline()(info(files, reduce_zero_label=True))
    with pytest.raises(LabelError, match=r"gone\.png: cannot be read: No such file"):
        pipeline()(info(files, "gone.png"))
    with pytest.raises(LabelError, match=r"a\.mat: expected 3 edge classes, got groundTruth, which has 1"):
        pipeline()(info(files, "a.mat"))
    with pytest.raises(LabelError, match=r"edges\.png: edge bits: expected the classes 0\.\.1, got the bits \[2\]"):
        pipeline(num_classes=2)(info(files))
    write_edge_bits(files / "small.png", np.zeros((40, 59), np.int32), 3)
    with pytest.raises(LabelError, match=r"small\.png: expected edges of the image's size \(40, 60\), got \(40, 59\)"):
        pipeline()(info(files, "small.png"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_classes": 0}, r"edge classes: expected 1\.\.31, got 0"),
        ({"num_classes": 1, "annotators": "all"}, "annotators: expected one of first, random, any, mean, got 'all'"),
        ({"num_classes": 1, "share": 0}, r"share: expected a number in \(0, 1\], got 0"),
    ],
)
def test_settings_that_cannot_be_used(settings, message):
    with pytest.raises(ValueError, match=message):
        LoadEdgeLabels(**settings)
