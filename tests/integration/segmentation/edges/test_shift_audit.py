import csv
import json

import pytest

pytest.importorskip("mmseg")

import cv2
import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from noisyseg.integration.segmentation.edges.shift_audit import audit_shifts, class_shifts, unaugmented
from noisyseg.labels import LabelError
from noisyseg.ops.windows import window_or
from noisyseg.registry import MODELS

CLASSES = ("left", "right")


@pytest.fixture
def model(monkeypatch):
    """A model that says that labels lie 3 pixels below the edges in the left half, and nowhere else."""
    detector = dict(
        type="noisyseg.EdgeDetector",
        data_preprocessor=dict(type="mmseg.SegDataPreProcessor", size_divisor=8, test_cfg=dict(size_divisor=8)),
        backbone=dict(type="noisyseg.CASENetResNet", depth=18, deep_stem=True, stem_channels=4, base_channels=4),
        decode_head=dict(type="noisyseg.CASENetHead", in_channels=[4, 4, 8, 32], num_classes=2),
    )
    model = MODELS.build(
        dict(type="noisyseg.PNTEdge", detector=detector, shift=dict(type="noisyseg.PixelShiftField", channels=4))
    )

    def field(image, confident, labels):  # noqa: ARG001
        found = torch.zeros(len(image), 2, *image.shape[2:])
        found[:, 0, :, :12] = -3
        return found

    torch.nn.init.ones_(model.shift.shift.weight)
    monkeypatch.setattr(model.shift, "forward", field)
    return model


@pytest.fixture
def dataset():
    """Three images of 20 x 21 pixels: edges of both classes, of the right one alone, and none."""
    items = []
    for index in range(3):
        bits = np.zeros((20, 21), np.int32)
        if index < 2:
            bits[2:10, 16] = 2
        if index == 0:
            bits[2:6, 4] = 1
        sample = SegDataSample(gt_edge_bits=PixelData(data=torch.from_numpy(bits[None])))
        sample.set_metainfo(dict(img_path=f"folder/{index}.png", img_shape=(20, 21), ori_shape=(20, 21)))
        items.append(dict(inputs=torch.full((3, 20, 21), 100, dtype=torch.uint8), data_samples=sample))
    return items


def test_writes_numbers_of_each_image_and_class(model, dataset, tmp_path):
    summary = audit_shifts(model, dataset, tmp_path / "out", classes=CLASSES, pictures=1, about={"config": "c.py"})
    assert summary == json.loads((tmp_path / "out" / "shifts.json").read_text())
    assert summary["classes"]["left"] == {"images": 1, "pixels": 4, "mean": 3.0, "rows": 3.0, "columns": 0.0}
    assert summary["classes"]["right"]["mean"] == 0
    assert (summary["images"], summary["images_without_edges"], summary["config"]) == (3, 1, "c.py")
    with (tmp_path / "out" / "shifts.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["image"], row["class_name"], row["pixels"]) for row in rows] == [
        ("folder/0.png", "left", "4"),
        ("folder/0.png", "right", "8"),
        ("folder/1.png", "right", "8"),
    ]
    assert {rows[0][key] for key in ("mean", "median", "largest_tenth", "largest", "rows")} == {"3.0"}
    assert summary["pictures"] == ["001_0.png"]
    picture = cv2.imread(str(tmp_path / "out" / "pictures" / "001_0.png"))
    assert picture[3, 4].max() > picture[3, 4].min()  # a colour
    assert picture[3, 16].tolist() == [255, 255, 255]  # does not move


def test_a_row_is_what_numpy_says():
    rng = np.random.default_rng(0)
    displacement, edges = rng.normal(size=(2, 9, 9)), rng.random((2, 9, 9)) < 0.3
    edges[1] = False
    (row,) = class_shifts("a.png", displacement, edges, CLASSES)
    lengths = np.linalg.norm(displacement[:, edges[0]], axis=0)
    assert row[2:7] == pytest.approx(
        (len(lengths), lengths.mean(), np.median(lengths), np.percentile(lengths, 90), lengths.max()), abs=6e-4
    )
    assert row[7:] == pytest.approx(displacement[:, edges[0]].mean(1), abs=6e-4)


def test_random_steps_are_left_out_and_named():
    pipeline = [
        dict(type=f"mmseg.{name}") for name in ("Load", "RandomFlip", "RandomCrop", "PhotoMetricDistortion", "Pack")
    ]
    kept, left_out = unaugmented(pipeline)
    assert [step["type"] for step in kept] == ["mmseg.Load", "mmseg.Pack"]
    assert left_out == ["mmseg.RandomFlip", "mmseg.RandomCrop", "mmseg.PhotoMetricDistortion"]


def test_of_several_annotators_the_first_is_audited():
    step = dict(type="noisyseg.LoadEdgeLabels", num_classes=1, annotators="random")
    kept, left_out = unaugmented([step])
    assert kept == [{**step, "annotators": "first"}]
    assert left_out == ["noisyseg.LoadEdgeLabels, a random annotator: the first instead"]


def test_the_field_sees_the_labels_that_it_was_trained_with(model, dataset, tmp_path, monkeypatch):
    seen, real = [], model.predict_shift
    monkeypatch.setattr(model, "predict_shift", lambda inputs, labels: seen.append(labels) or real(inputs, labels))
    audit_shifts(model, dataset, tmp_path / "thin", classes=CLASSES, pictures=0)
    thin = seen.pop()
    model.detector.dilation = 2
    summary = audit_shifts(model, dataset, tmp_path / "wide", classes=CLASSES, pictures=0)
    assert torch.equal(seen[-1], window_or(thin, 2))
    assert (tmp_path / "wide" / "shifts.csv").read_text() == (tmp_path / "thin" / "shifts.csv").read_text()
    assert summary["images"] == len(dataset)


def test_what_cannot_be_audited_is_said(model, dataset, tmp_path):
    with pytest.raises(ValueError, match="expected 2 names, got 1"):
        audit_shifts(model, dataset, tmp_path / "a", classes=CLASSES[:1])
    del dataset[1]["data_samples"].gt_edge_bits
    with pytest.raises(LabelError, match=r"folder/1\.png.*gt_edge_bits"):
        audit_shifts(model, dataset, tmp_path / "b", classes=CLASSES)
    for parameter in model.shift.shift.parameters():
        torch.nn.init.zeros_(parameter)
    with pytest.raises(ValueError, match="has not been trained"):
        audit_shifts(model, dataset, tmp_path / "c", classes=CLASSES)
    assert list(tmp_path.iterdir()) == []


def test_a_finished_audit_is_not_lost(model, dataset, tmp_path):
    audit_shifts(model, dataset, tmp_path / "out", classes=CLASSES)
    with pytest.raises(FileExistsError, match="force"):
        audit_shifts(model, dataset, tmp_path / "out", classes=CLASSES)
    audit_shifts(model, dataset[:1], tmp_path / "out", classes=CLASSES, force=True)
    assert json.loads((tmp_path / "out" / "shifts.json").read_text())["images"] == 1
