"""Edge labels from files."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from mmcv.transforms import BaseTransform

from noisyseg.integration.samples import Sample
from noisyseg.integration.segmentation.edges.edge_keys import EDGE_ANNOTATORS, EDGE_BITS, EDGE_FRAME
from noisyseg.labels import LabelError
from noisyseg.labels.edge_bits import check_edge_classes
from noisyseg.labels.edge_files import chosen_edges, read_edge_annotators
from noisyseg.registry import TRANSFORMS

__all__ = ["LoadEdgeLabels"]

Annotators = Literal["first", "random", "any", "mean"]


@TRANSFORMS.register_module()
class LoadEdgeLabels(BaseTransform):
    """Reads the file of edges that ``edge_path`` names, as `noisyseg.EdgeDataset` fills it in.

    Stands behind ``mmengine.LoadImageFromFile``, and in training before all that moves pixels. mmseg's flips, crops,
    rotations and resizing move the edges with the image; `noisyseg.PackSegInputs` marks as ignored what they fill.
    Resizing takes the nearest pixel, so scales below 1 cut lines of one pixel into pieces.

    Adds ``gt_edge_bits``, (H, W) int32, bit k on the edge of class k and -2**31 where a pixel is ignored, and, if
    asked, ``gt_edge_annotators``, (H, W, A) int32, and their keys to ``seg_fields``.

    Args:
        num_classes: K, the number of edge classes, 1..31.
        annotators: Whose edges ``gt_edge_bits`` are, where a file has several annotators: ``"first"``; ``"random"``,
            another one at each call; ``"any"``, all together; ``"mean"``, see ``share``.
        share: For ``"mean"``: pixels that at least this share of annotators marked are on the edge; those that fewer
            marked, but at least one, are ignored.
        keep_annotators: Also keep the edges of each annotator, for scores.

    Raises:
        ValueError: An argument is out of range.
        LabelError: There is no ``edge_path``, its file cannot be used, or has another size than the image file; or the
            data set reduces zero labels, which bits do not have. The message names the file.
    """

    def __init__(
        self, num_classes: int, annotators: Annotators = "first", share: float = 0.5, keep_annotators: bool = False
    ) -> None:
        check_edge_classes(num_classes)
        if annotators not in get_args(Annotators):
            raise ValueError(f"annotators: expected one of {', '.join(get_args(Annotators))}, got {annotators!r}")
        if not 0 < share <= 1:
            raise ValueError(f"share: expected a number in (0, 1], got {share}")
        self.num_classes, self.annotators, self.share = num_classes, annotators, share
        self.keep_annotators = keep_annotators

    def transform(self, results: Sample) -> Sample:
        """Returns ``results`` with the edges."""
        for key in ("edge_path", "ori_shape"):
            if key not in results:
                raise LabelError(
                    f"LoadEdgeLabels: expected {key}, got {', '.join(sorted(results))}; edges need a data set such as "
                    "noisyseg.EdgeDataset, and a place behind mmengine.LoadImageFromFile",
                    file=results.get("img_path"),
                )
        path = results["edge_path"]
        if results.get("reduce_zero_label"):
            raise LabelError(
                "LoadEdgeLabels: expected reduce_zero_label=False: edges have no class 0 to leave out", file=path
            )
        bits = read_edge_annotators(path, self.num_classes, tuple(results["ori_shape"][:2]))
        fields = results.setdefault("seg_fields", [])
        results[EDGE_BITS] = self._chosen(bits)
        results[EDGE_FRAME] = np.zeros(bits.shape[1:], np.uint8)
        fields.extend([EDGE_BITS, EDGE_FRAME])
        if self.keep_annotators:
            results[EDGE_ANNOTATORS] = np.ascontiguousarray(bits.transpose(1, 2, 0))
            fields.append(EDGE_ANNOTATORS)
        return results

    def _chosen(self, bits: np.ndarray) -> np.ndarray:
        if self.annotators == "random":
            return bits[np.random.randint(len(bits))]  # noqa: NPY002 - the state that mmcv's transforms draw from
        return chosen_edges(bits, self.annotators, self.share)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_classes={self.num_classes}, annotators={self.annotators!r})"
