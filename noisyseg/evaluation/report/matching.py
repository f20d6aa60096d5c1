"""Which noisy object belongs to which clean one: by annotation id where ids mean the same in both, else by IoU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_mask
from scipy.optimize import linear_sum_assignment

from noisyseg.labels import Instances
from noisyseg.labels.coco_text import CocoText

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
# Images at which ids are tried out, and the share of the best possible overlap that pairs by id have to reach.
SAMPLE = 1000
PLAUSIBLE = 0.5
# Overlaps so small are no pair; above it, equal classes decide between equal overlaps.
THRESHOLD = 0.3
TIE = 1e-6


@dataclass(frozen=True)
class Pairing:
    """How objects are paired.

    Attributes:
        by: ``"id"`` or ``"iou"``.
        shift: How much higher the ids of the noisy file are.
        reason: Why, as a sentence.
    """

    by: Literal["id", "iou"]
    shift: int
    reason: str


def choose_pairing(clean: CocoText, noisy: CocoText, images: dict[int, int], *, known: bool) -> Pairing:
    """Returns how to pair the objects of two files.

    Ids mean the same where the manifest says that one file was made from the other. Without it they have to pass two
    tests: every id that both files have is in the same image, and in a sample of images the boxes of pairs by id
    overlap at least half as well, by mean IoU, as those of the best one-to-one pairing.

    Args:
        clean: The clean file.
        noisy: The noisy file.
        images: Noisy image id of each clean one.
        known: Whether a manifest says that the noisy file was made from this clean one.
    """
    shift = int(len(clean) and len(noisy) and clean.ids.min() == 0 and _shifted(clean, noisy, images))
    moved = ", all of them one higher in the noisy file" if shift else ""
    if known:
        return Pairing("id", shift, f"the manifest says that the noisy file was made from the clean one{moved}")
    common, here, there = np.intersect1d(clean.ids, noisy.ids - shift, return_indices=True)
    if not len(common):
        return Pairing("iou", 0, "the files have no annotation id in common")
    same_image = _translated(clean.image_ids[here], images) == noisy.image_ids[there]
    if not same_image.all():
        wrong = int(len(common) - same_image.sum())
        return Pairing("iou", 0, f"{wrong} of the {len(common)} ids in both files are in different images")
    by_id, best, tried = _overlaps(clean, noisy, images, shift)
    said = f"in {tried} images the boxes paired by id have a mean IoU of {by_id:.3f}; the best pairing has {best:.3f}"
    if by_id < PLAUSIBLE * best:
        return Pairing("iou", 0, f"{said}: ids do not mean the same")
    return Pairing("id", shift, f"every common id is in the same image, and {said}{moved}")


def pairs_by_id(clean: Ints, noisy: Ints) -> tuple[Ints, Ints]:
    """Returns the places of equal ids, in the order of ``clean``."""
    _, here, there = np.intersect1d(clean, noisy, assume_unique=True, return_indices=True)
    order = np.argsort(here)
    return here[order], there[order]


def pairs_by_overlap(clean: Instances, noisy: Instances) -> tuple[Ints, Ints]:
    """Returns the one-to-one pairs with the largest sum of IoU, in the order of ``clean``; none below 0.3.

    Masks are compared where both have them, else boxes. Crowds are paired with crowds only.
    """
    return best_pairs(overlaps(clean, noisy), clean.classes, noisy.classes)


def overlaps(clean: Instances, noisy: Instances) -> Floats:
    """Returns the (N, M) IoU of masks where both have them, else of boxes; 0 between a crowd and an object."""
    if not len(clean) or not len(noisy):
        return np.zeros((len(clean), len(noisy)))
    if clean.masks is not None and noisy.masks is not None:
        codes = [[mask.rle for mask in labels.masks] for labels in (clean, noisy)]
        table = np.asarray(coco_mask.iou(*codes, [0] * len(noisy)), np.float64)
    else:
        table = box_overlaps(clean.boxes, noisy.boxes)
    return np.where(clean.crowd[:, None] == noisy.crowd, table, 0)


def best_pairs(table: Floats, clean_classes: Ints, noisy_classes: Ints) -> tuple[Ints, Ints]:
    """Returns the pairs of an IoU table with the largest sum, equal classes first among equals; none below 0.3."""
    worth = np.where(table >= THRESHOLD, table + TIE * (clean_classes[:, None] == noisy_classes), 0)
    here, there = linear_sum_assignment(worth, maximize=True)
    kept = worth[here, there] > 0
    return here[kept], there[kept]


def box_overlaps(one: Floats, other: Floats) -> Floats:
    """Returns the (N, M) IoU of boxes ``x0, y0, x1, y1``; 0 where both are empty."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    both = np.prod(np.clip(high - low, 0, None), axis=-1)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (one, other)]
    union = areas[0][:, None] + areas[1][None] - both
    return np.divide(both, union, out=np.zeros_like(both), where=union > 0)


def _translated(image_ids: Ints, images: dict[int, int]) -> Ints:
    known = np.array(sorted(images), np.int64)
    values = np.array([images[image_id] for image_id in known.tolist()], np.int64)
    places = np.searchsorted(known, image_ids).clip(max=max(len(known) - 1, 0))
    found = known[places] == image_ids if len(known) else np.zeros(len(image_ids), bool)
    return np.where(found, values[places] if len(known) else 0, -(2**62))


def _shifted(clean: CocoText, noisy: CocoText, images: dict[int, int]) -> bool:
    """Returns whether every noisy annotation is in the image of the clean one whose id is one lower, if there is one.

    Annotations that noise added have ids above all others.
    """
    if noisy.ids.min() <= 0:
        return False
    _, here, there = np.intersect1d(clean.ids, noisy.ids - 1, return_indices=True)
    same = _translated(clean.image_ids[here], images) == noisy.image_ids[there]
    return bool(len(same) and same.all())


def _overlaps(clean: CocoText, noisy: CocoText, images: dict[int, int], shift: int) -> tuple[float, float, int]:
    """Returns the mean box IoU of pairs by id, that of as many best pairs, and the number of images looked at."""
    places = clean.positions, noisy.positions
    usable = [(one, other) for one, other in images.items() if len(places[0][one]) and len(places[1][other])]
    step = max(1, len(usable) // SAMPLE)
    by_id, best = [], []
    for one, other in usable[::step]:
        here, there = pairs_by_id(clean.ids[places[0][one]], noisy.ids[places[1][other]] - shift)
        table = box_overlaps(_boxes(clean, places[0][one]), _boxes(noisy, places[1][other]))
        by_id += table[here, there].tolist()
        if len(here):
            some = table[here]
            rows, columns = linear_sum_assignment(some, maximize=True)
            best += some[rows, columns].tolist()
    return (
        float(np.mean(by_id)) if by_id else 0.0,
        float(np.mean(best)) if best else 0.0,
        len(usable[::step]),
    )


def _boxes(index: CocoText, places: Ints) -> Floats:
    """Returns the boxes of annotations; whether they can be used is found out when they are measured."""
    boxes = np.zeros((len(places), 4))
    for row, annotation in zip(boxes, index.annotations_at(places), strict=True):
        bbox = annotation.get("bbox")
        if isinstance(bbox, list) and len(bbox) == 4 and all(isinstance(value, int | float) for value in bbox):
            row[:] = bbox
    boxes[:, 2:] += boxes[:, :2]
    return boxes
