"""Edges that the image itself shows."""

from __future__ import annotations

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from noisyseg.integration.samples import Sample
from noisyseg.integration.segmentation.edges.edge_keys import IMAGE_EDGES
from noisyseg.labels import LabelError
from noisyseg.registry import TRANSFORMS

__all__ = ["ComputeImageEdges"]


@TRANSFORMS.register_module()
class ComputeImageEdges(BaseTransform):
    """Finds Canny's edges in the image, from which PNT-Edge tells how busy a place is.

    Stands behind all that moves pixels. The released code finds them once, per class within its regions, and takes
    all of them together; so one map of the whole image is enough. Defaults are its settings for SBD; for Cityscapes it
    has sigma 2 and thresholds 10 and 100.

    Adds ``gt_image_edges``, (H, W) uint8, 1 on an edge, and its key to ``seg_fields``.

    Args:
        blur: Side of the Gaussian's window, pixels, odd.
        sigma: Its standard deviation, pixels.
        low: Gradients above this continue an edge; they are lengths, of the Sobel filter of an image of 0..255.
        high: Gradients above this begin one.

    Raises:
        ValueError: An argument is out of range.
        LabelError: The image is not loaded, or not (H, W, 3) BGR or (H, W) grey of uint8; the message names it.
    """

    def __init__(self, blur: int = 5, sigma: float = 1.5, low: float = 25, high: float = 150) -> None:
        if isinstance(blur, bool) or not isinstance(blur, int) or blur < 1 or blur % 2 == 0:
            raise ValueError(f"blur: expected an odd number of pixels, got {blur!r}")
        if not sigma > 0:
            raise ValueError(f"sigma: expected a length > 0, got {sigma}")
        if not 0 <= low <= high:
            raise ValueError(f"low, high: expected 0 <= low <= high, got {low} and {high}")
        self.blur, self.sigma, self.low, self.high = blur, sigma, low, high

    def transform(self, results: Sample) -> Sample:
        """Returns ``results`` with the edges of the image."""
        image = results.get("img")
        shape, dtype = getattr(image, "shape", ()), getattr(image, "dtype", type(image).__name__)
        if dtype != np.uint8 or not (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)):
            raise LabelError(
                f"ComputeImageEdges: expected an image of (H, W, 3) or (H, W) uint8, got {shape} of {dtype}",
                file=results.get("img_path"),
            )
        grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        grey = cv2.GaussianBlur(grey, (self.blur, self.blur), self.sigma)
        results[IMAGE_EDGES] = cv2.Canny(grey, self.low, self.high, L2gradient=True) // 255
        fields = results.setdefault("seg_fields", [])
        if IMAGE_EDGES not in fields:
            fields.append(IMAGE_EDGES)
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(sigma={self.sigma}, low={self.low}, high={self.high})"
