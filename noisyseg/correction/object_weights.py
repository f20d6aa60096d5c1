"""How far each object's annotation is to be trusted: weights from a second opinion about the same image."""

from __future__ import annotations

import numpy as np

from noisyseg.labels import Instances

__all__ = ["object_agreement_weights"]


def object_agreement_weights(labels: Instances, others: Instances, floor: float = 0.05) -> np.ndarray:
    """Returns for each object the largest IoU of its box with an object of its class in the second opinion.

    An object that nobody else sees, or sees as another class, gets ``floor``, and so does one that IoU puts below. A
    design of ours, published nowhere; it is the box-wise cousin of `agreement_weights`, and as blind as that to what
    both opinions get wrong.

    Args:
        labels: The annotations in force.
        others: Annotations or predictions by somebody else of the same image, of the same classes.
        floor: The least weight, in [0, 1].

    Returns:
        (N,) float32 in [floor, 1], for the N objects of ``labels``.

    Raises:
        ValueError: The sizes or the classes differ, or ``floor`` is not in [0, 1].
    """
    if not 0 <= floor <= 1:
        raise ValueError(f"floor: expected a number in [0, 1], got {floor}")
    if labels.size_hw != others.size_hw or labels.categories.names != others.categories.names:
        raise ValueError(
            f"expected two opinions about one image of {labels.size_hw} with the classes "
            f"{', '.join(labels.categories.names)}, got one of {others.size_hw} with "
            f"{', '.join(others.categories.names)}"
        )
    ours, theirs = labels.boxes[:, None], others.boxes[None]
    sides = np.minimum(ours[..., 2:], theirs[..., 2:]) - np.maximum(ours[..., :2], theirs[..., :2])
    common = sides.clip(min=0).prod(axis=2)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(axis=2) for boxes in (ours, theirs)]
    overlap = common / np.maximum(areas[0] + areas[1] - common, np.finfo(np.float64).tiny)
    overlap[labels.classes[:, None] != others.classes[None]] = 0
    return overlap.max(axis=1, initial=floor).astype(np.float32)
