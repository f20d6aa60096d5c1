import pytest
import torch
from mmseg.evaluation import IoUMetric

from noisyseg.registry import METRICS


def test_each_class_has_its_own_score_and_absent_ones_have_none():
    metric = METRICS.build({"type": "noisyseg.ClassIoU"})
    metric.dataset_meta = {"classes": ("a", "b", "c")}
    labels = torch.tensor([[0, 0, 1, 255]])
    predicted = torch.tensor([[0, 1, 1, 1]])
    sample = {"gt_sem_seg": {"data": labels[None]}, "pred_sem_seg": {"data": predicted[None]}}
    metric.process({}, [sample])
    scores = metric.compute_metrics(metric.results)
    assert scores["IoU/a"] == pytest.approx(50)
    assert scores["IoU/b"] == pytest.approx(50)
    assert "IoU/c" not in scores
    assert scores["mIoU"] == pytest.approx(50)
    assert scores["aAcc"] == pytest.approx(200 / 3)


@pytest.mark.parametrize("classes", [1, 2, 21])
def test_areas_are_those_of_the_host(classes):
    generator = torch.Generator().manual_seed(classes)
    labels = torch.randint(0, classes, (37, 29), generator=generator)
    predicted = torch.randint(0, classes, (37, 29), generator=generator)
    labels[torch.rand(37, 29, generator=generator) < 0.2] = 255
    ours = METRICS.get("noisyseg.ClassIoU").intersect_and_union(predicted, labels, classes, 255)
    theirs = IoUMetric.intersect_and_union(predicted, labels, classes, 255)
    for found, expected in zip(ours, theirs, strict=True):
        assert torch.equal(found, expected)
