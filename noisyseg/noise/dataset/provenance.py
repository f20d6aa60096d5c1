"""From noisy labels back to COCO annotations that say what happened to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from noisyseg.labels import Instances, Mask
from noisyseg.labels.coco import annotation_from_instance, mask_fields
from noisyseg.noise.model import History

Json = dict[str, Any]


class Written(NamedTuple):
    """The annotations of one image after the noise.

    Attributes:
        entries: One an annotation of the clean image, None where its object was removed.
        added: Annotations without an id: objects that were invented, and further pieces of split ones.
        happened: How often each thing happened.
    """

    entries: list[Json | None]
    added: list[Json]
    happened: Counter[str]


def noisy_annotations(
    annotations: Sequence[Json],
    clean: Instances,
    noisy: Instances,
    history: History,
    vanished: Collection[int],
    *,
    keep_boxes: bool,
) -> Written:
    """Returns the annotations of one image with noise written into them.

    Every mask is written as compressed RLE, also where no model touched it: mmdet, with ``poly2mask=False``, ignores
    RLE beside polygons without a word. Otherwise an annotation keeps its fields and their order; one that was touched
    gains a key ``noise``: the chain of operations with parameters and draws, the clean class, box and area, the IoU
    to the clean mask, and flags. An added one has a key ``noise`` with its chain, flags (``bogus`` or ``piece``), and,
    for a piece, ``source_id``: the annotation that it was split from.

    Args:
        annotations: The clean entries, in the order of ``clean``.
        clean: The clean labels.
        noisy: The noisy labels.
        history: What was done to each source, see :meth:`~noisyseg.noise.model.NoiseModel.history`.
        vanished: Sources whose masks vanished under the noise.
        keep_boxes: Whether ``bbox`` and ``area`` stay those of the clean mask.
    """
    places: dict[int, int] = {}
    further: list[int] = []
    for place, source in enumerate(noisy.source.tolist()):
        if source < 0 or source in places:
            further.append(place)
        else:
            places[source] = place
    before, after = _rows(clean), _rows(noisy)
    happened: list[str] = []
    written: list[Json | None] = []
    for i, (annotation, source) in enumerate(zip(annotations, clean.source.tolist(), strict=True)):
        chain = history.get(source)
        if chain is None:
            happened.append("untouched")
            written.append(annotation if clean.masks is None else {**annotation, "segmentation": clean.masks[i].rle})
            continue
        happened += [entry["op"] for entry in chain]
        place = places.get(source)
        if place is None:
            happened.append("removed")
            written.append(None)
            continue
        changes, flags, iou = _changes(before[i], after[place], noisy.categories.ids, keep_boxes)
        if source in vanished:
            flags.append("vanished")
        happened += flags
        record = {
            "chain": chain,
            "clean_category_id": annotation["category_id"],
            "clean_bbox": annotation["bbox"],
            "clean_area": annotation.get("area"),
            "iou": iou,
            "flags": flags,
        }
        written.append({**annotation, **changes, "noise": record})
    added = [_added(noisy, place, history, happened) for place in further]
    return Written(written, added, Counter(happened))


def _rows(labels: Instances) -> list[tuple[int, list[float], Mask | None]]:
    """Returns class, box and mask of each object, as plain values: one array at a time is slow to take apart."""
    masks = labels.masks or [None] * len(labels)
    return list(zip(labels.classes.tolist(), labels.boxes.tolist(), masks, strict=True))


def _changes(
    clean: tuple[int, list[float], Mask | None],
    noisy: tuple[int, list[float], Mask | None],
    category_ids: Sequence[int],
    keep_boxes: bool,
) -> tuple[Json, list[str], float]:
    """Returns the fields that noise changed, flags, and the IoU of the masks, or of the boxes where there are none."""
    changes: Json = {}
    flags = []
    iou = 1.0
    (clean_class, clean_box, clean_mask), (class_, box, mask) = clean, noisy
    if class_ != clean_class:
        flags.append("class_changed")
        changes["category_id"] = category_ids[class_]
    box_moved = box != clean_box
    if mask is not None:
        changes["segmentation"] = mask.rle
        if mask is not clean_mask:
            flags.append("mask_changed")
            iou = round(mask.iou(clean_mask), 4)
            box_moved = box_moved and tuple(box) != mask.box
            if not keep_boxes:
                changes |= mask_fields(mask)
    if box_moved:
        flags.append("box_changed")
        x0, y0, x1, y1 = box
        changes["bbox"] = [x0, y0, x1 - x0, y1 - y0]
        if mask is None:
            changes["area"] = (x1 - x0) * (y1 - y0)
            iou = round(_box_iou(box, clean_box), 4)
    return changes, flags, iou


def _added(noisy: Instances, place: int, history: History, happened: list[str]) -> Json:
    source = int(noisy.source[place])
    flag = "bogus" if source < 0 else "piece"
    entry = annotation_from_instance(noisy, place, 0)
    del entry["id"], entry["image_id"]
    x0, y0, x1, y1 = noisy.boxes[place].tolist()
    if noisy.masks is None or (x0, y0, x1, y1) != noisy.masks[place].box:
        entry["bbox"] = [x0, y0, x1 - x0, y1 - y0]
    chain = history.get(source, [])
    happened.append(flag)
    if flag == "bogus":  # what happened to an object of the file is counted there
        happened += [step["op"] for step in chain]
    return entry | {"noise": {"chain": chain, "flags": [flag]} | ({} if source < 0 else {"source_id": source})}


def _box_iou(one: Sequence[float], other: Sequence[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(width, 0.0) * max(height, 0.0)
    union = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (one, other)) - both
    return both / union if union else 1.0
