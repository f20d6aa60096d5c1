"""From noisy labels back to COCO annotations that say what happened to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from noisyseg.labels import Instances
from noisyseg.labels.coco import mask_fields
from noisyseg.noise.model import History

Json = dict[str, Any]


def noisy_annotations(
    annotations: Sequence[Json],
    clean: Instances,
    noisy: Instances,
    history: History,
    vanished: Collection[int],
    *,
    keep_boxes: bool,
) -> tuple[list[Json | None], Counter[str]]:
    """Returns the annotations of one image with noise written into them.

    Every mask is written as compressed RLE, also where no model touched it: mmdet, with ``poly2mask=False``, ignores
    RLE beside polygons without a word. Otherwise an annotation keeps its fields and their order; one that was touched
    gains a key ``noise``: the chain of operations with parameters and draws, the clean class, box and area, the IoU
    to the clean mask, and flags.

    Args:
        annotations: The clean entries, in the order of ``clean``.
        clean: The clean labels.
        noisy: The noisy labels.
        history: What was done to each source, see :meth:`~noisyseg.noise.model.NoiseModel.history`.
        vanished: Sources whose masks vanished under the noise.
        keep_boxes: Whether ``bbox`` and ``area`` stay those of the clean mask.

    Returns:
        One entry an annotation, None where the object was removed; and how often each thing happened.
    """
    places = {source: place for place, source in enumerate(noisy.source.tolist())}
    happened: list[str] = []
    written: list[Json | None] = []
    for i, annotation in enumerate(annotations):
        source = int(clean.source[i])
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
        changes: Json = {}
        flags = []
        iou = 1.0
        if noisy.classes[place] != clean.classes[i]:
            flags.append("class_changed")
            changes["category_id"] = noisy.categories.ids[noisy.classes[place]]
        if clean.masks is not None:
            mask = noisy.masks[place]
            changes["segmentation"] = mask.rle
            if mask is not clean.masks[i]:
                flags.append("mask_changed")
                iou = round(mask.iou(clean.masks[i]), 4)
                if not keep_boxes:
                    changes |= mask_fields(mask)
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
    return written, Counter(happened)
