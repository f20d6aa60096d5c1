"""A page of images with their clean and noisy labels, the most changed ones first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

from noisyseg.labels import Instances
from noisyseg.labels.coco import read_coco
from noisyseg.labels.colours import Colour, class_colour
from noisyseg.labels.files import atomic_path
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.browse.changes import Comparison, ImageChange, ObjectChange, compare_files, mask_or_box
from noisyseg.noise.browse.drawing import LIGHT, Picture, Shape, draw_shapes, fit
from noisyseg.noise.browse.layout import page, tile
from noisyseg.noise.browse.pictures import grey_picture, read_picture

Order = Literal["change", "iou", "order", "random"]
CLEAN_COLOUR = (64, 220, 255)
NOISY_COLOUR = (255, 150, 40)
FILL = 0.22


@dataclass(frozen=True)
class Browsed:
    """What was compared and shown.

    Attributes:
        path: The picture.
        comparison: The two files.
        changes: All images that both files have, in the order of the clean file.
        shown: Those in the picture, in its order.
    """

    path: Path
    comparison: Comparison
    changes: list[ImageChange]
    shown: list[ImageChange]


def browse_noise(
    clean: str | Path,
    noisy: str | Path,
    out: str | Path,
    *,
    images: str | Path | None = None,
    count: int = 12,
    columns: int = 2,
    sort: Order = "change",
    seed: int = 0,
    overlay: bool = False,
    side: int = 480,
    force: bool = False,
    progress: bool = False,
) -> Browsed:
    """Writes a picture of the images that noise changed, clean labels left and noisy ones right.

    Objects are paired by annotation id. Colours are those of the classes; a changed class is written beside its object.
    Only the images that are shown are read.

    Args:
        clean: The clean COCO file.
        noisy: The noisy one, of the same images and categories.
        out: The PNG to write.
        images: Folder of the image files; without it, labels are drawn on grey.
        count: Largest number of images to show.
        columns: Number of images side by side.
        sort: ``"change"`` most changed first (see :attr:`ImageChange.amount`), ``"iou"`` lowest mean IoU first,
            ``"order"`` as in the file, ``"random"`` a sample named by ``seed``. Images without objects are left out.
        seed: For ``"random"``, an integer >= 0.
        overlay: Draw both versions on one picture, clean blue, noisy orange, what is the same white.
        side: Longer side of an image in the picture, pixels.
        force: Whether to replace an existing ``out``.
        progress: Whether to draw a progress bar on stderr.

    Raises:
        LabelError: A file or an image cannot be used; the message names it.
        FileExistsError: ``out`` exists and ``force`` is not set.
        ValueError: A number is out of range, ``out`` is no PNG, or no image has an object.
    """
    out = Path(out)
    for name, value, least in (("count", count, 1), ("columns", columns, 1), ("side", side, 64)):
        if value < least:
            raise ValueError(f"{name}: expected at least {least}, got {value}")
    if out.suffix.lower() != ".png":
        raise ValueError(f"{out}: expected a name that ends in .png")
    if out.exists() and not force:
        raise FileExistsError(f"{out}: is there already; nothing was written")
    comparison = Comparison(read_coco(clean), read_coco(noisy))
    changes = compare_files(comparison, progress=progress)
    shown = ranked(changes, sort, seed)[:count]
    if not shown:
        raise ValueError(f"{clean}, {noisy}: no image that both files have has an object")
    tiles = [_tile(comparison, change, images, side, overlay) for change in shown]
    title = f"{Path(clean).name} and {Path(noisy).name}: {len(shown)} of {len(changes)} images, {_ORDERS[sort]}"
    with atomic_path(out) as partial:
        Image.fromarray(page(title, tiles, columns, side)).save(partial, format="PNG")
    return Browsed(out, comparison, changes, shown)


_ORDERS = {
    "change": "most changed first",
    "iou": "lowest mean IoU first",
    "order": "in file order",
    "random": "a random sample",
}


def ranked(changes: Sequence[ImageChange], sort: Order, seed: int = 0) -> list[ImageChange]:
    """Returns the images with objects in the order ``sort``; ties stay in file order.

    Raises:
        ValueError: There is no such order.
    """
    changes = [change for change in changes if change.objects]
    if sort == "change":
        return sorted(changes, key=lambda change: -change.amount)
    if sort == "iou":
        return sorted(changes, key=lambda change: change.mean_iou)
    if sort == "random":
        return [changes[i] for i in keyed_rng(seed, "browse").permutation(len(changes))]
    if sort == "order":
        return changes
    raise ValueError(f"sort: expected one of {', '.join(_ORDERS)}, got {sort!r}")


def _tile(comparison: Comparison, change: ImageChange, images: str | Path | None, side: int, overlay: bool) -> Picture:
    """Returns one image of the page, with its header."""
    entry = comparison.clean.images[change.image_id]
    clean, noisy = comparison.labels(change.image_id)
    picture = grey_picture(clean.size_hw) if images is None else read_picture(images, entry, comparison.clean.path)
    picture, scale = fit(picture, side)
    if overlay:
        shapes = [*_shapes(clean, change, "clean", CLEAN_COLOUR), *_shapes(noisy, change, "noisy", NOISY_COLOUR)]
        panels = [("clean blue, noisy orange, same in both white", draw_shapes(picture, shapes, scale))]
    else:
        panels = [
            ("clean", draw_shapes(picture, list(_shapes(clean, change, "clean")), scale, fill=FILL)),
            ("noisy", draw_shapes(picture, list(_shapes(noisy, change, "noisy")), scale, fill=FILL)),
        ]
    header = [f"{entry.get('file_name', 'no file name')}   id {change.image_id}", _facts(change)]
    return tile(header, panels, side)


def _facts(change: ImageChange) -> str:
    facts = [
        f"{change.changed} of {len(change.objects)} changed",
        f"mean IoU {change.mean_iou:.2f}",
        f"{change.classes_changed} other class",
    ]
    missing = sum(one.is_missing for one in change.objects)
    added = sum(one.is_added for one in change.objects)
    return ", ".join([*facts, *[f"{missing} missing"] * bool(missing), *[f"{added} added"] * bool(added)])


def _shapes(
    labels: Instances, change: ImageChange, version: Literal["clean", "noisy"], colour: Colour | None = None
) -> Iterator[Shape]:
    """Yields the objects of one version; in the colours of their classes unless ``colour`` is given."""
    changes = {one.source: one for one in change.objects}
    for i, source in enumerate(labels.source.tolist()):
        word = _word(changes[source], labels.categories.names, version, both=colour is not None)
        if colour is None:
            yield Shape(mask_or_box(labels, i), class_colour(int(labels.classes[i])), word)
        else:
            yield Shape(mask_or_box(labels, i), colour if changes[source].amount else LIGHT, word)


def _word(change: ObjectChange, names: Sequence[str], version: str, *, both: bool) -> str:
    """Returns what is written beside one version of an object; ``both`` where the two are on one picture."""
    if change.is_missing:
        return f"{names[change.clean_class]}: missing"
    if change.is_added:
        return f"{names[change.noisy_class]}: added"
    if not change.class_changed:
        return ""
    if version == "clean":
        return "" if both else names[change.clean_class]
    return f"{names[change.clean_class]} → {names[change.noisy_class]}" if both else f"→ {names[change.noisy_class]}"
