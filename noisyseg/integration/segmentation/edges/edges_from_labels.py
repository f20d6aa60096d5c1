"""Edge labels from label maps, drawn after augmentation."""

from __future__ import annotations

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from noisyseg.evaluation.edges import thin_edges
from noisyseg.integration.samples import Sample
from noisyseg.integration.segmentation.edges.edge_keys import EDGE_BITS
from noisyseg.labels import IGNORE, LabelError
from noisyseg.labels.edge_bits import MAX_EDGE_CLASSES, packed_edges, unpacked_edges
from noisyseg.ops.edge_bits import IGNORED_BITS, edge_bits
from noisyseg.registry import TRANSFORMS

__all__ = ["EdgesFromLabels"]


@TRANSFORMS.register_module()
class EdgesFromLabels(BaseTransform):
    """Draws the edges of the label map, ``gt_seg_map``, so any data set of mmseg trains an edge detector.

    Stands behind all that moves pixels: an edge map that is resized loses parts of its lines, and one drawn from the
    resized label map does not; edges then also are equally wide at every scale. Ignored pixels, among them what
    padding and rotation fill, make no edges and are ignored.

    Adds ``gt_edge_bits``, (H, W) int32, bit k on the edge of class k and -2**31 where a pixel is ignored, and its key
    to ``seg_fields``.

    Args:
        num_classes: K, the number of edge classes, 1..31.
        radius: Pixels within this Euclidean distance of another class are on the edge, a whole number >= 1: 2 as in
            SBD gives edges four pixels wide, 1 gives two.
        instances: Key of an (H, W) integer map in the sample that tells objects of one class apart, whose common
            border then is an edge too. It has to be in ``seg_fields``, so that it moved with the labels. None where
            only classes count.
        thin: Thin the edges of each class to one pixel.
        background: Class 0 of the label map is background: it bounds objects, and has no edges of its own. Labels are
            then 0..K, and edge class k is label k + 1. Without it edge class k is label k.
        agnostic: Put the edges of all classes into bit 0. ``num_classes`` still counts the classes of the label map,
            the model has one.
        ignore_index: The ignored label.

    Raises:
        ValueError: An argument is out of range.
        LabelError: There is no label map, or no map of objects, or they differ in size, or a label is out of range;
            the message names the file.
    """

    def __init__(
        self,
        num_classes: int,
        radius: int = 2,
        instances: str | None = None,
        thin: bool = False,
        background: bool = False,
        agnostic: bool = False,
        ignore_index: int = IGNORE,
    ) -> None:
        most = MAX_EDGE_CLASSES - background
        if not 1 <= num_classes <= most:
            raise ValueError(f"num_classes: expected 1..{most}, got {num_classes}")
        if isinstance(radius, bool) or not isinstance(radius, int) or radius < 1:
            raise ValueError(f"radius: expected a whole number >= 1, got {radius!r}")
        self.num_classes, self.radius, self.instances, self.thin = num_classes, radius, instances, thin
        self.background, self.agnostic, self.ignore_index = background, agnostic, ignore_index

    def transform(self, results: Sample) -> Sample:
        """Returns ``results`` with the edges."""
        file = results.get("seg_map_path") or results.get("img_path")
        try:
            results[EDGE_BITS] = self._bits(results)
        except ValueError as error:
            problem = error.problem if isinstance(error, LabelError) else str(error)
            raise LabelError(f"EdgesFromLabels: {problem}", file=file) from None
        results.setdefault("seg_fields", []).append(EDGE_BITS)
        return results

    def _bits(self, results: Sample) -> np.ndarray:
        if EDGE_BITS in results:
            raise LabelError(f"expected a sample without {EDGE_BITS}, got edges that are drawn or loaded already")
        for key in ("gt_seg_map", self.instances):
            if key is not None and key not in results:
                raise LabelError(f"expected {key}, got {', '.join(sorted(results))}")
        if self.background and results.get("reduce_zero_label"):
            raise LabelError("expected labels that still have their background, got reduce_zero_label=True")
        maps = [results["gt_seg_map"]] + ([] if self.instances is None else [results[self.instances]])
        labels, *objects = (torch.from_numpy(np.ascontiguousarray(one)) for one in maps)
        count = self.num_classes + self.background
        bits = edge_bits(labels, count, self.radius, *objects, ignore_index=self.ignore_index).numpy()
        ignored = bits == IGNORED_BITS
        if self.background:
            bits >>= 1
        if self.agnostic:
            bits = (bits != 0).astype(np.int32)
        if self.thin:
            bits[ignored] = 0
            count = 1 if self.agnostic else self.num_classes
            bits = packed_edges(np.stack([thin_edges(one) for one in unpacked_edges(bits, count)]))
        bits[ignored] = IGNORED_BITS
        return bits

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_classes={self.num_classes}, radius={self.radius})"
