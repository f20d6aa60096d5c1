"""Maps that tell objects of one class apart."""

from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform

from noisyseg.integration.samples import Sample
from noisyseg.integration.segmentation.edges.edge_keys import INSTANCE_MAP
from noisyseg.labels import LabelError
from noisyseg.labels.label_pngs import read_label_png
from noisyseg.registry import TRANSFORMS

__all__ = ["LoadInstanceMap"]


@TRANSFORMS.register_module()
class LoadInstanceMap(BaseTransform):
    """Reads the PNG that ``instance_map_path`` names, so `noisyseg.EdgesFromLabels` draws edges between objects.

    Stands behind ``mmseg.LoadAnnotations``. Adds ``gt_instance_map``, (H, W) int32, and its key to ``seg_fields``.

    Raises:
        LabelError: There is no label map or no ``instance_map_path``, or the file cannot be used, or has another size
            than the label map; the message names the file.
    """

    def transform(self, results: Sample) -> Sample:
        """Returns ``results`` with the map."""
        for key in ("gt_seg_map", "instance_map_path"):
            if key not in results:
                raise LabelError(
                    f"LoadInstanceMap: expected {key}, got {', '.join(sorted(results))}", file=results.get("img_path")
                )
        path = results["instance_map_path"]
        objects = read_label_png(path).pixels.astype(np.int32)
        if objects.shape != results["gt_seg_map"].shape:
            raise LabelError(
                f"expected objects of the label map's size {results['gt_seg_map'].shape}, got {objects.shape}",
                file=path,
            )
        results[INSTANCE_MAP] = objects
        results["seg_fields"].append(INSTANCE_MAP)
        return results
