"""ODS, OIS and AP of edges as a metric of the host."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from noisyseg.evaluation.edges import EdgeProtocol, edge_counts, edge_scores, mean_scores
from noisyseg.labels import LabelError
from noisyseg.labels.edge_bits import unpacked_edges
from noisyseg.registry import METRICS

__all__ = ["EdgeMetric"]


@METRICS.register_module()
class EdgeMetric(BaseMetric):
    """ODS, OIS and AP of predicted edges, percent: means over the classes that have labels, and F of each class.

    Reads the prediction ``edge_prob`` (K, H, W) uint8, and the labels ``gt_edge_annotators`` (A, H, W) where they are
    there, else ``gt_edge_bits`` (1, H, W): int32 with bit c set on edges of class c and bit 31 on ignored pixels. What
    one annotator ignores is ignored for all. Keeps (K, T, 4) int32 counts of each image and no map.

    Args:
        protocol: Name of a protocol (``"bsds"``, ``"sbd"``, ``"sbd_reannotated"``, ``"cityscapes"``), or a dict with
            its ``name`` and settings that differ, or all settings; see `EdgeProtocol`.
        thresholds: Number of thresholds: 33 while training; 99 is what reports have.
        workers: Threads that thin and match; the scores do not depend on it.
        collect_device: See `mmengine.evaluator.BaseMetric`.
        prefix: What stands before the names of the scores.

    Raises:
        ValueError: The protocol is unknown, a setting is out of its range, or ``workers`` is less than 1.
    """

    def __init__(
        self,
        protocol: str | Mapping[str, Any] = "bsds",
        thresholds: int = 33,
        workers: int = 1,
        collect_device: str = "cpu",
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if workers < 1:
            raise ValueError(f"workers: expected at least 1, got {workers}")
        settings = {"name": protocol} if isinstance(protocol, str) else dict(protocol)
        settings["thresholds"] = thresholds
        name = settings.pop("name", None)
        self.protocol = EdgeProtocol(**settings) if name is None else EdgeProtocol.of(name, **settings)
        self.workers = workers

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:  # noqa: ANN401 - the host's
        """Counts each sample of the batch.

        Raises:
            LabelError: A sample lacks a field, or a field has another dtype or shape.
        """
        with ThreadPoolExecutor(self.workers) as pool:
            each = map if self.workers == 1 else pool.map
            self.results.extend(self._counts(sample, each) for sample in data_samples)

    def _counts(self, sample: Mapping[str, Any], each: Callable[..., Iterable]) -> npt.NDArray[np.int32]:
        """Returns the (K, T, 4) counts of one sample."""
        try:
            probability = _pixels(sample, "edge_prob", torch.uint8)
            key = "gt_edge_annotators" if "gt_edge_annotators" in sample else "gt_edge_bits"
            bits = _pixels(sample, key, torch.int32)
            ignored = (bits < 0).any(axis=0)
            annotators = [unpacked_edges(one, len(probability)) for one in bits]
            counts = [
                edge_counts(one, [edges[k] for edges in annotators], self.protocol, ignored, each)
                for k, one in enumerate(probability)
            ]
        except ValueError as error:
            raise LabelError(f"EdgeMetric: {error}", file=sample.get("img_path")) from None
        return np.stack(counts).astype(np.int32)

    def compute_metrics(self, results: list[npt.NDArray[np.int32]]) -> dict[str, float]:
        """Returns ``ODS``, ``OIS`` and ``AP``, means over classes, and ``F/<class>`` at each class's best threshold.

        The log tells the protocol, and which classes have no labels; these have no ``F`` and count as the protocol
        says.

        Raises:
            ValueError: There is no sample, or the data set names another number of classes than are predicted.
        """
        if not results:
            raise ValueError("EdgeMetric: expected at least one sample, got none")
        counts = np.stack(results)
        names = tuple((self.dataset_meta or {}).get("classes") or map(str, range(counts.shape[1])))
        if len(names) != counts.shape[1]:
            raise ValueError(f"classes: expected {len(names)} channels of edge_prob, {names}, got {counts.shape[1]}")
        scores = {name: edge_scores(counts[:, k], self.protocol) for k, name in enumerate(names)}
        means, absent = mean_scores(scores)
        print_log(f"Edges [{self.protocol.describe()}], {len(counts)} images", logger="current")
        if absent:
            print_log(f"Edges: no labels of {', '.join(absent)}", logger="current")
        return {name: 100 * means[name] for name in ("ODS", "OIS", "AP")} | {
            f"F/{name}": 100 * one.ods.f for name, one in scores.items() if name not in absent
        }


def _pixels(sample: Mapping[str, Any], key: str, dtype: torch.dtype) -> npt.NDArray[np.integer]:
    """Returns the (C, H, W) values of a field.

    Raises:
        ValueError: It is missing, or has another dtype or number of dimensions.
    """
    if key not in sample:
        fields = ", ".join(sorted(map(str, sample)))
        raise ValueError(f"expected the field {key} in the sample, got {fields or 'none'}")
    data = sample[key]["data"] if isinstance(sample[key], Mapping) else sample[key].data
    if data.dtype != dtype or data.ndim != 3:
        raise ValueError(f"expected {key} as (C, H, W) {dtype}, got {tuple(data.shape)} of {data.dtype}")
    return data.cpu().numpy()
