"""Superpixels of an image and the classes of a map inside them.

Reference: Achanta et al., "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods", TPAMI 2012.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
IGNORE = 255


def slic_superpixels(image: npt.NDArray[np.uint8], n_segments: int, compactness: float) -> IntArray:
    """Returns (H, W) numbers of superpixels, from 0 on.

    The superpixels are those of scikit-image and may differ between its versions.

    Args:
        image: (H, W, 3) uint8 RGB.
        n_segments: Number of superpixels, about.
        compactness: Weight of closeness against likeness of colour; larger ones give squarer superpixels.
    """
    from skimage.segmentation import slic  # takes long to import

    numbers = slic(image, n_segments=n_segments, compactness=compactness, start_label=0, channel_axis=-1)
    return numbers.astype(np.int64)


def class_counts(superpixels: IntArray, classes: npt.NDArray[np.integer], count: int) -> IntArray:
    """Returns (S, K) how many pixels of each class each superpixel has; ignored pixels do not count.

    Args:
        superpixels: (H, W) numbers 0..S-1.
        classes: (H, W) classes 0..K-1, or 255.
        count: K.
    """
    total = int(superpixels.max()) + 1
    valid = classes != IGNORE
    flat = superpixels[valid] * count + classes[valid].astype(np.int64)
    return np.bincount(flat, minlength=total * count).reshape(total, count)
