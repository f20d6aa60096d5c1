"""Several scores from one validation run, each on its own images and against its own version of the labels.

A validation loader concatenates data sets whose samples are tagged (`TagSplit`): clean validation images, and
training images with the labels they are trained on. One `SplitMetric` a tag feeds a metric of the host. The
log then shows the *score against clean labels* beside the *agreement with the given ones*, and memorization
is where the second goes on rising while the first falls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmcv.transforms import BaseTransform
from mmengine.evaluator import BaseMetric

from noisyseg.registry import METRICS, TRANSFORMS

__all__ = ["SplitMetric", "TagSplit"]


@TRANSFORMS.register_module()
class TagSplit(BaseTransform):
    """Writes the name of a split into the packed sample; goes last in a pipeline, after the host's packing.

    Args:
        split: Name of the split, such as ``"clean"`` or ``"given"``.
    """

    def __init__(self, split: str) -> None:
        self.split = split

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Returns ``results``, tagged.

        Raises:
            KeyError: The sample is not packed yet.
        """
        if "data_samples" not in results:
            raise KeyError("TagSplit: expected a packed sample; put it after the host's Pack…Inputs")
        results["data_samples"].set_metainfo({"split": self.split})
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(split={self.split!r})"


@METRICS.register_module()
class SplitMetric(BaseMetric):
    """A metric of the host, over the samples of one split; its scores are logged as ``<split>/<score>``.

    A ``mmdet.CocoMetric`` with an ``ann_file`` counts images of that file that were not predicted as missed:
    give it the file of exactly the split's images, or none, and it takes the labels from the samples.

    Args:
        split: Which samples, by the name that `TagSplit` wrote.
        metric: Config of the metric.
        prefix: What stands before the names of the scores; the split's name by default.
    """

    def __init__(self, split: str, metric: Mapping[str, Any], prefix: str | None = None) -> None:
        self.metric: BaseMetric = METRICS.build(metric)
        super().__init__(collect_device=self.metric.collect_device, prefix=prefix or split)
        self.split = split

    @property
    def dataset_meta(self) -> dict | None:
        """Names of the classes and what else the data set tells."""
        return self.metric.dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict | None) -> None:
        self.metric.dataset_meta = dataset_meta

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:  # noqa: ANN401 - the host's type
        """Keeps what the metric makes of each sample of the split, and an empty list for every other sample.

        One entry a sample, as in the host's own metrics: distributed evaluation interleaves the processes'
        entries and cuts off what the sampler repeated, which fails with a number of entries that differs.
        """
        for sample in data_samples:
            if "split" not in sample:
                raise KeyError("SplitMetric: a sample without a split; end its pipeline with noisyseg.TagSplit")
            if sample["split"] == self.split:
                self.metric.process(data_batch, [sample])
            self.results.append(list(self.metric.results))
            self.metric.results.clear()

    def compute_metrics(self, results: list[list]) -> dict[str, float]:
        """Returns the scores of the metric over the samples of the split.

        Raises:
            ValueError: There was no such sample.
        """
        own = [entry for entries in results for entry in entries]
        if not own:
            raise ValueError(f"SplitMetric: no sample of the split {self.split!r} among {len(results)} samples")
        return self.metric.compute_metrics(own)
