import numpy as np
import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.registry import METRICS, init_default_scope
from mmengine.structures import BaseDataElement

from noisyseg.integration.split_metric import SplitMetric, TagSplit


@METRICS.register_module(name="TestOnlyMean", force=True)
class Mean(BaseMetric):
    """The mean of `value`; keeps two entries a sample, as a metric of the host may."""

    default_prefix = "theirs"

    def process(self, data_batch, data_samples):
        for sample in data_samples:
            self.results += [sample["value"], sample["value"]]

    def compute_metrics(self, results):
        return {"mean": sum(results) / len(results), "entries": len(results)}


def samples(*pairs):
    return [BaseDataElement(metainfo={"split": split, "value": value}) for split, value in pairs]


def metric(split, **settings):
    return SplitMetric(split=split, metric={"type": "TestOnlyMean"}, **settings)


def test_each_split_has_its_own_score():
    evaluator = Evaluator([metric("clean"), metric("given")])
    evaluator.process(samples(("clean", 1.0), ("given", 5.0)))
    evaluator.process(samples(("clean", 3.0)))
    assert evaluator.evaluate(3) == {
        "clean/mean": 2.0,
        "clean/entries": 4,
        "given/mean": 5.0,
        "given/entries": 2,
    }


def test_one_entry_a_sample_so_that_processes_can_be_interleaved():
    # Two processes, five samples: the sampler repeats the first one to make the shares equal.
    of_zero, of_one = metric("clean"), metric("clean")
    of_zero.process(None, [s.to_dict() for s in samples(("clean", 1.0), ("given", 9.0), ("clean", 2.0))])
    of_one.process(None, [s.to_dict() for s in samples(("given", 9.0), ("clean", 3.0), ("clean", 1.0))])
    assert len(of_zero.results) == len(of_one.results) == 3
    interleaved = [entry for pair in zip(of_zero.results, of_one.results, strict=True) for entry in pair][:5]
    assert of_zero.compute_metrics(interleaved) == {"mean": 2.0, "entries": 6}


def test_a_second_run_starts_anew():
    evaluator = Evaluator([metric("clean")])
    for value in (1.0, 4.0):
        evaluator.process(samples(("clean", value)))
        assert evaluator.evaluate(1)["clean/mean"] == value


def test_prefix_can_be_given():
    evaluator = Evaluator([metric("clean", prefix="val")])
    evaluator.process(samples(("clean", 1.0)))
    assert set(evaluator.evaluate(1)) == {"val/mean", "val/entries"}


def test_the_metric_hears_of_the_classes():
    outer = metric("clean")
    outer.dataset_meta = {"classes": ("a",)}
    assert outer.metric.dataset_meta == outer.dataset_meta == {"classes": ("a",)}


def test_a_split_that_does_not_occur_is_an_error():
    evaluator = Evaluator([metric("cleen")])
    evaluator.process(samples(("clean", 1.0)))
    with pytest.raises(ValueError, match="no sample of the split 'cleen' among 1 samples"):
        evaluator.evaluate(1)


def test_a_sample_without_a_tag_is_an_error():
    with pytest.raises(KeyError, match=r"end its pipeline with noisyseg\.TagSplit"):
        metric("clean").process(None, [{"value": 1.0}])


def test_tag_reaches_the_packed_sample():
    packed = {"inputs": torch.zeros(1), "data_samples": BaseDataElement()}
    assert TagSplit("given")(packed)["data_samples"].to_dict() == {"split": "given"}


def test_tag_before_packing_is_an_error():
    with pytest.raises(KeyError, match="expected a packed sample"):
        TagSplit("given")({"img": np.zeros((2, 2))})


def test_iou_over_one_split_is_that_of_the_metric_alone():
    pytest.importorskip("mmseg")
    init_default_scope("mmseg")
    from mmseg.evaluation import IoUMetric

    generator = torch.Generator().manual_seed(0)

    def sample(split):
        draw = [torch.randint(0, 3, (1, 8, 8), generator=generator) for _ in range(2)]
        return {"split": split, "pred_sem_seg": {"data": draw[0]}, "gt_sem_seg": {"data": draw[1]}}

    batch = [sample(split) for split in ("clean", "given", "clean", "given")]
    alone = IoUMetric(iou_metrics=["mIoU"])
    ours = SplitMetric(split="clean", metric={"type": "mmseg.IoUMetric", "iou_metrics": ["mIoU"]})
    alone.dataset_meta = ours.dataset_meta = {"classes": ("a", "b", "c")}
    alone.process({}, batch[::2])
    ours.process({}, batch)
    assert ours.evaluate(4) == {f"clean/{name}": score for name, score in alone.evaluate(2).items()}


def evaluate_share(rank, meeting, shares, scores):
    """Does what one of two processes does in a distributed validation of five samples."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    evaluator = Evaluator([metric("clean"), metric("given")])
    evaluator.process(samples(*shares[rank]))
    scores[rank] = evaluator.evaluate(5)
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_give_the_scores_of_one(tmp_path):
    five = [("clean", 1.0), ("given", 7.0), ("clean", 2.0), ("clean", 6.0), ("given", 9.0)]
    # The sampler deals samples out in turn and repeats the first one to make the shares equal.
    shares = [five[0::2], [*five[1::2], five[0]]]
    with torch.multiprocessing.get_context("spawn").Manager() as manager:
        scores = manager.dict()
        torch.multiprocessing.spawn(evaluate_share, (tmp_path / "meeting", shares, scores), nprocs=2)
        found = dict(scores)
    alone = Evaluator([metric("clean"), metric("given")])
    alone.process(samples(*five))
    assert found[0] == found[1] == alone.evaluate(5)
