"""From objects to a semantic map."""

from __future__ import annotations

import numpy as np

from noisyseg.labels.categories import Categories
from noisyseg.labels.errors import LabelError
from noisyseg.labels.instances import IGNORE, Instances, SemanticMap


def semantic_from_instances(labels: Instances, background: str = "background") -> SemanticMap:
    """Returns the classes of the pixels when the objects are painted in order, later ones over earlier ones.

    Args:
        labels: Objects with masks, K classes; crowd regions become ignored pixels.
        background: Name of class 0, which stands where no object is; class k of the objects becomes k + 1.

    Returns:
        (H, W) uint8 map with K + 1 classes.

    Raises:
        LabelError: The labels have boxes only, or more than 254 classes.
    """
    if labels.masks is None:
        raise LabelError("painting needs masks, but the labels have boxes only")
    if len(labels.categories) >= IGNORE:
        raise LabelError(f"painting: expected at most {IGNORE - 1} classes, got {len(labels.categories)}")
    canvas = np.zeros(labels.size_hw, np.uint8)
    for mask, class_, crowd in zip(labels.masks, labels.classes.tolist(), labels.crowd.tolist(), strict=True):
        left, top, pixels = mask.crop
        window = canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]]
        window[pixels != 0] = IGNORE if crowd else class_ + 1
    return SemanticMap(canvas, Categories.from_names((background, *labels.categories.names)))
