"""mmseg's packing, with the maps that travel beside the labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from mmcv.transforms import to_tensor
from mmengine.structures import PixelData
from mmseg.datasets.transforms import PackSegInputs as MMSegPackSegInputs

from noisyseg.integration.samples import Sample
from noisyseg.integration.segmentation.edges.edge_keys import EDGE_ANNOTATORS, EDGE_BITS, EDGE_FRAME
from noisyseg.integration.weight_transforms import WEIGHT_MAP, WITNESS
from noisyseg.labels import IGNORE, LabelError
from noisyseg.labels.edge_bits import IGNORED_BITS
from noisyseg.registry import TRANSFORMS

__all__ = ["PackSegInputs"]

PACKED_BY_HOST = {"gt_seg_map", "gt_edge_map", "gt_depth_map"}


@TRANSFORMS.register_module()
class PackSegInputs(MMSegPackSegInputs):
    """Packs what ``mmseg.PackSegInputs`` packs, all further maps in ``seg_fields``, and the image's weight.

    A further map (H, W) becomes a `PixelData` of the same name with ``data`` (1, H, W), a map (H, W, C) one with
    (C, H, W); dtypes stay. ``image_weight`` goes into the meta information.

    Weights (``gt_weight_map``) end as 0 where a pixel is not the image's: where the label is ignored, which is how
    rotation, cut-out and mosaic fill, and where ``mmengine.Pad`` has made the labels larger, which it does not do to
    other maps.

    Edges that `noisyseg.LoadEdgeLabels` has read are ignored where a transform has filled them (rotation, cut-out,
    mosaic).

    Args:
        meta_keys: Keys of the meta information, besides ``image_weight``; None means mmseg's.
        ignore_index: The ignored label.

    Raises:
        LabelError: A transform has moved the labels and not the weights, or the other way round.
    """

    def __init__(self, meta_keys: Sequence[str] | None = None, ignore_index: int = IGNORE) -> None:
        if meta_keys is None:
            super().__init__()
        else:
            super().__init__(meta_keys)
        self.meta_keys = (*self.meta_keys, "image_weight")
        self.ignore_index = ignore_index

    def transform(self, results: Sample) -> dict:
        """Returns ``inputs`` and ``data_samples``."""
        if WEIGHT_MAP in results:
            try:
                results[WEIGHT_MAP] = self._weights(results)
            except LabelError as error:
                raise error.at(file=results.get("img_path"), where="weights") from None
        if EDGE_FRAME in results:
            filled = results[EDGE_FRAME] != 0
            for key in (EDGE_BITS, EDGE_ANNOTATORS):
                if key in results:
                    results[key][filled] = IGNORED_BITS
        packed = super().transform(results)
        for key in dict.fromkeys(results.get("seg_fields", [])):
            if key not in PACKED_BY_HOST and key not in (WITNESS, EDGE_FRAME):
                pixels = results[key]
                pixels = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
                data = to_tensor(np.ascontiguousarray(pixels))
                packed["data_samples"].set_data({key: PixelData(data=data)})
        return packed

    def _weights(self, results: Sample) -> npt.NDArray[np.uint8]:
        """Returns the weights in the labels' frame, 0 where a label is ignored."""
        labels, weights, witness = results["gt_seg_map"], results[WEIGHT_MAP], results.get(WITNESS)
        if witness is None:
            raise LabelError("expected weights that noisyseg.LoadWeightMap has loaded")
        rows, columns = weights.shape
        grown = labels.copy()
        grown[:rows, :columns] = self.ignore_index
        if rows > labels.shape[0] or columns > labels.shape[1] or (grown != self.ignore_index).any():
            raise LabelError(
                f"expected labels of the weights' size {weights.shape}, or larger with {self.ignore_index} behind "
                f"the right and lower border, got {labels.shape}: a transform moves gt_seg_map alone; mmseg's move "
                "both, mmengine's of the same name do not"
            )
        if witness.shape != weights.shape or (witness != labels[:rows, :columns]).any():
            raise LabelError(
                "the labels have moved or changed since the weights were loaded, and the weights have not: use mmseg's "
                "transforms, which move every map in seg_fields, and put LoadWeightMap behind what changes labels"
            )
        fitted = np.zeros(labels.shape, weights.dtype)
        fitted[:rows, :columns] = weights
        fitted[labels == self.ignore_index] = 0
        return fitted
