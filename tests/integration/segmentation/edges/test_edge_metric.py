import numpy as np
import pytest
import torch

from noisyseg.evaluation.edges import EdgeProtocol, edge_counts, edge_scores
from noisyseg.labels import LabelError
from noisyseg.registry import METRICS

IGNORED = -(2**31)


def build(**settings):
    metric = METRICS.build({"type": "noisyseg.EdgeMetric", **settings})
    metric.dataset_meta = {"classes": ("cat", "dog", "owl")}
    return metric


@pytest.fixture
def samples():
    """Return three samples of three classes, of which the last has no labels; the last sample has two annotators."""
    generator = torch.Generator().manual_seed(0)
    made = []
    for k in range(3):
        bits = torch.zeros((1, 40, 50), dtype=torch.int32)
        bits[0, 10 + k, 5:45] |= 1
        bits[0, 5:35, 20] |= 2
        bits[0, :, 48:] = IGNORED
        predicted = torch.randint(0, 256, (3, 40, 50), generator=generator, dtype=torch.uint8)
        predicted[predicted < 240] = 0
        predicted[0, 10 + k, 5:45] = 255
        made.append({"edge_prob": {"data": predicted}, "gt_edge_bits": {"data": bits}, "img_path": f"{k}.jpg"})
    made[2]["gt_edge_annotators"] = {"data": torch.cat([bits, bits.roll(1, 1)])}
    return made


def test_scores_are_means_over_classes_with_labels(samples):
    metric = build(protocol="sbd", thresholds=9)
    metric.process({}, samples[:1])
    metric.process({}, samples[1:])
    assert [counts.shape for counts in metric.results] == [(3, 9, 4)] * 3
    assert {counts.dtype for counts in metric.results} == {np.dtype(np.int32)}
    found = metric.evaluate(3)
    protocol = EdgeProtocol.of("sbd", thresholds=9)
    expected = []
    for k in range(2):
        counts = []
        for sample in samples:
            bits = sample.get("gt_edge_annotators", sample["gt_edge_bits"])["data"].numpy()
            probability = sample["edge_prob"]["data"][k].numpy()
            maps = [((one & ~IGNORED) >> k & 1).astype(bool) for one in bits]
            counts.append(edge_counts(probability, maps, protocol, (bits < 0).any(0)))
        expected.append(edge_scores(np.stack(counts), protocol))
    assert found == pytest.approx(
        {
            "ODS": 50 * sum(one.ods.f for one in expected),
            "OIS": 50 * sum(one.ois.f for one in expected),
            "AP": 50 * sum(one.ap for one in expected),
            "F/cat": 100 * expected[0].ods.f,
            "F/dog": 100 * expected[1].ods.f,
        }
    )
    assert found["F/cat"] > found["F/dog"] > 0


def test_the_log_tells_the_protocol_and_absent_classes(samples, monkeypatch):
    from noisyseg.integration.segmentation.edges import edge_metric

    lines = []
    monkeypatch.setattr(edge_metric, "print_log", lambda line, logger: lines.append(line))
    metric = build(protocol={"name": "sbd_reannotated", "mode": "raw"}, thresholds=3)
    metric.process({}, samples)
    metric.evaluate(3)
    assert "mode raw, tolerance 0.0075, labels SBD re-annotated" in lines[0]
    assert lines[1] == "Edges: no labels of owl"


def test_threads_do_not_change_counts(samples):
    alone, together = build(), build(workers=2)
    for metric in (alone, together):
        metric.process({}, samples)
    assert all(np.array_equal(*pair) for pair in zip(alone.results, together.results, strict=True))


def test_a_protocol_of_ones_own_needs_no_name():
    metric = build(protocol={"tolerance": 0.01, "labels": "mine"})
    assert metric.protocol == EdgeProtocol(0.01, "mine", thresholds=33)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("edge_prob", None, "0.jpg: EdgeMetric: expected the field edge_prob in the sample, got gt_edge_bits"),
        ("gt_edge_bits", None, "expected the field gt_edge_bits in the sample"),
        (
            "edge_prob",
            torch.full((3, 40, 50), float("nan")),
            r"edge_prob as \(C, H, W\) torch.uint8, got .* of torch.float32",
        ),
        ("edge_prob", torch.zeros((40, 50), dtype=torch.uint8), r"got \(40, 50\) of torch.uint8"),
        ("edge_prob", torch.zeros((3, 40, 60), dtype=torch.uint8), r"expected the size \(40, 50\) of the labels"),
        ("gt_edge_bits", torch.zeros((1, 40, 50), dtype=torch.int64), r"gt_edge_bits as \(C, H, W\) torch.int32"),
        ("gt_edge_bits", torch.full((1, 40, 50), 8, dtype=torch.int32), "0.jpg: EdgeMetric: .*edge bits"),
    ],
)
def test_wrong_samples_are_named(samples, key, value, message):
    sample = {name: samples[0][name] for name in ("edge_prob", "gt_edge_bits", "img_path")}
    if value is None:
        del sample[key]
    else:
        sample[key] = {"data": value}
    with pytest.raises(LabelError, match=message):
        build().process({}, [sample])


def test_wrong_settings_are_told(samples):
    with pytest.raises(ValueError, match="workers: expected at least 1, got 0"):
        build(workers=0)
    with pytest.raises(ValueError, match="protocol: expected one of bsds"):
        build(protocol="nyud")
    with pytest.raises(ValueError, match="expected at least one sample, got none"):
        build().compute_metrics([])
    metric = build()
    metric.dataset_meta = {"classes": ("edge",)}
    metric.process({}, samples)
    with pytest.raises(ValueError, match="classes: expected 1 channels of edge_prob"):
        metric.evaluate(3)
