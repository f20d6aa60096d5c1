"""The report on two COCO files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from noisyseg.evaluation.report import agreement, counts
from noisyseg.evaluation.report.cautions import caution, instance_cautions
from noisyseg.evaluation.report.matching import Pairing, choose_pairing
from noisyseg.evaluation.report.measuring import measure_files
from noisyseg.evaluation.report.recipes import rate_checks
from noisyseg.evaluation.report.tables import Rows, Tables
from noisyseg.labels import LabelError
from noisyseg.labels.coco_text import CocoText

Json = dict[str, Any]
Ints = npt.NDArray[np.int64]
ImagePair = tuple[int | None, int | None]
WORST = 12


@dataclass(frozen=True)
class Compared:
    """Two COCO files and what was measured.

    Attributes:
        clean: The clean file.
        noisy: The noisy file.
        images: Clean and noisy id of each image; None where a file lacks it.
        tables: The rows.
        report: What the tables say.
    """

    clean: CocoText
    noisy: CocoText
    images: list[ImagePair]
    tables: Tables
    report: Json


def compare_coco(
    clean: CocoText,
    noisy: CocoText,
    *,
    manifest: Mapping[str, Any] | None,
    known: bool,
    pair: Literal["auto", "id", "iou"],
    workers: int,
    progress: bool,
) -> Compared:
    """Measures two COCO files and returns what there is to say about them.

    Args:
        clean: The clean file.
        noisy: The noisy file.
        manifest: The manifest of the noisy file, if there is one.
        known: Whether it says that the noisy file was made from this clean one.
        pair: How objects are paired; ``"auto"`` finds out.
        workers: Number of processes; the result does not depend on it.
        progress: Whether to draw a progress bar on stderr.

    Raises:
        LabelError: A file cannot be used, or they are not about the same images and classes.
    """
    classes = class_table(clean, noisy)
    images, image_rule = pair_images(clean, noisy)
    both = {one: other for one, other in images if one is not None and other is not None}
    pairing = choose_pairing(clean, noisy, both, known=known)
    if pair != "auto" and pair != pairing.by:
        pairing = Pairing(pair, 0, "asked for")
    tables = measure_files(clean, noisy, images, classes, pairing, workers=workers, progress=progress)
    masks = clean.with_masks and noisy.with_masks
    report = _report(tables, clean.categories.names, masks=masks)
    report["pairing"] = {
        "by": pairing.by,
        "reason": pairing.reason,
        "id_shift": pairing.shift,
        "images": image_rule,
        "images_only_clean": [one for one, other in images if other is None],
        "images_only_noisy": [other for one, other in images if one is None],
    }
    report["rates"] = _rates(report, manifest, len(clean.categories))
    report["unmatched"] = _unmatched(tables)
    report["worst"] = _worst(tables, images, clean.categories.names, masks=masks)
    report["warnings"] = _cautions(report, clean, noisy)
    return Compared(clean, noisy, images, tables, report)


def class_table(clean: CocoText, noisy: CocoText) -> Ints:
    """Returns (K',) the clean class of each noisy one: of the same id and name, else of the same name.

    Raises:
        LabelError: A noisy class has no clean one.
    """
    ours, theirs = clean.categories, noisy.categories
    if (ours.ids, ours.names) == (theirs.ids, theirs.names):
        return np.arange(len(ours))
    place = {name: k for k, name in enumerate(ours.names)}
    unknown = [name for name in theirs.names if name not in place]
    if unknown or len(place) < len(ours) or len(set(theirs.names)) < len(theirs):
        raise LabelError(
            f"categories: expected those of {clean.path}, {list(ours.names)}, got {list(theirs.names)}", file=noisy.path
        )
    return np.array([place[name] for name in theirs.names], np.int64)


def pair_images(clean: CocoText, noisy: CocoText) -> tuple[list[ImagePair], str]:
    """Returns the ids of each image in both files, and the rule: by id unless file names say otherwise.

    Raises:
        LabelError: The files have no image in common, or one of another size.
    """
    common = [id_ for id_ in clean.images if id_ in noisy.images]
    if common and all(_name(clean, id_) == _name(noisy, id_) for id_ in common):
        rule, partner = "by id; the file names of all common ids are the same", {id_: id_ for id_ in common}
    else:
        rule = "by file name, which ids contradict"
        places = [{_name(index, id_): id_ for id_ in index.images} for index in (clean, noisy)]
        if None in {*places[0], *places[1]} or any(
            len(p) < len(i.images) for p, i in zip(places, (clean, noisy), strict=True)
        ):
            raise LabelError(
                f"images: expected those of {clean.path}, got other file names under the same ids", file=noisy.path
            )
        partner = {id_: places[1][name] for name, id_ in places[0].items() if name in places[1]}
    if clean.images and noisy.images and not partner:
        raise LabelError(f"images: expected some of {clean.path}, got others only", file=noisy.path)
    for one, other in partner.items():
        sizes = [
            (images[id_].get("height"), images[id_].get("width"))
            for images, id_ in ((clean.images, one), (noisy.images, other))
        ]
        if sizes[0] != sizes[1]:
            raise LabelError(
                f"height, width: expected {sizes[0]} as in {clean.path}, got {sizes[1]}",
                file=noisy.path,
                where=f"image {other}",
            )
    taken = set(partner.values())
    pairs: list[ImagePair] = [(id_, partner.get(id_)) for id_ in clean.images]
    return pairs + [(None, id_) for id_ in noisy.images if id_ not in taken], rule


def _name(index: CocoText, image_id: int) -> str | None:
    return index.images[image_id].get("file_name")


def _report(tables: Tables, names: Sequence[str], *, masks: bool) -> Json:
    """Returns the sections that the tables alone give; crowds are counted, and left out of everything else."""
    pairs = tables.pairs[~tables.pairs["crowd"]]
    report: Json = {
        "kind": "instances" if masks else "boxes",
        "counts": counts.overall_counts(tables, masks=masks),
        "operations": counts.by_operation(tables, masks=masks),
        "operation_counts": counts.operation_counts(tables),
        "sizes": counts.by_size(tables, masks=masks),
        "classes": counts.by_class(tables, tuple(names), masks=masks),
        "confusion": agreement.confusion(tables, tuple(names)),
        "areas": agreement.area_agreement(pairs),
        "boxes": agreement.box_agreement(pairs, tables.images, masks=masks),
    }
    if masks:
        changed = pairs[~pairs["same"]]
        report["masks"] = {
            "all": agreement.mask_agreement(pairs),
            "changed": agreement.mask_agreement(changed),
        }
        report["topology"] = agreement.topology(pairs, tables.images)
    return report


def _rates(report: Json, manifest: Mapping[str, Any] | None, classes: int) -> list[Json]:
    """Returns requested and realised rates; requested ones stand in the manifest."""
    realised = dict(report["operation_counts"])
    if manifest is None or not isinstance(manifest.get("recipe"), Mapping):
        return []
    recipe = manifest["recipe"]
    realised |= manifest.get("counts") or {}
    objects = report["counts"]["clean_objects"]
    if recipe.get("crowds") == "noise":
        objects += report["counts"]["crowd_pairs"]
    return rate_checks(recipe, realised, objects, classes)


def _unmatched(tables: Tables) -> Json:
    return {
        "missing": tables.missing["id"].tolist(),
        "bogus": tables.added["id"][~tables.added["piece"]].tolist(),
        "pieces": tables.added["id"][tables.added["piece"]].tolist(),
    }


def _worst(tables: Tables, images: Sequence[ImagePair], names: Sequence[str], *, masks: bool) -> list[Json]:
    """Returns the pairs with the lowest IoU, the first in the file among equals."""
    pairs = tables.pairs[~tables.pairs["crowd"]]
    ious = agreement.pair_ious(pairs, masks=masks)
    order = np.argsort(ious, kind="stable")[:WORST]
    return [_row(pairs[i], images, names, float(ious[i])) for i in order if ious[i] < 1]


def _row(pair: Rows, images: Sequence[ImagePair], names: Sequence[str], iou: float) -> Json:
    return {
        "image_id": images[pair["image"]][0],
        "clean_id": int(pair["clean_id"]),
        "noisy_id": int(pair["noisy_id"]),
        "clean_class": names[pair["clean_class"]],
        "noisy_class": names[pair["noisy_class"]],
        "iou": round(iou, 4),
    }


def _cautions(report: Json, clean: CocoText, noisy: CocoText) -> list[Json]:
    found = instance_cautions(report)
    for name, index in (("clean", clean), ("noisy", noisy)):
        if len(index) and index.ids.min() == 0:
            found.append(
                caution("id_zero", f"the {name} file has an annotation with id 0: pycocotools takes it for none")
            )
    groups = noisy.categories.groups
    if None in groups:
        lacking = sum(group is None for group in groups)
        found.append(caution("no_supercategory", f"{lacking} of {len(groups)} categories have no supercategory"))
    for name in ("clean", "noisy"):
        if ids := report["pairing"][f"images_only_{name}"]:
            found.append(caution(f"images_only_{name}", f"{len(ids)} images are in the {name} file only"))
    return found
