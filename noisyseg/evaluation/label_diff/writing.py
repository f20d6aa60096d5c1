"""Write what changed between two versions of labels: JSON, CSV tables, and a page with the most changed images."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image
from tqdm import tqdm

from noisyseg.evaluation.label_diff.panels import FATE_COLOURS, GREY, ImageFiles, Picture, draw_changes, draw_labels
from noisyseg.evaluation.label_diff.text import headline, percent, shown_fates
from noisyseg.evaluation.label_diff.views import Views
from noisyseg.labels import IGNORE
from noisyseg.labels.files import write_json
from noisyseg.labels.folders import atomic_folder

__all__ = ["DOCUMENT", "PAGE", "write_difference"]

DOCUMENT, PAGE = "label_diff.json", "index.html"
Json = Mapping[str, Any]
SIDE = 400
MOST_MOVES = 12


def write_difference(
    document: Json,
    views: Views,
    out: str | Path,
    *,
    images: ImageFiles | None = None,
    count: int = 24,
    force: bool = False,
    progress: bool = False,
) -> None:
    """Writes a folder with ``label_diff.json``, ``classes.csv``, ``moves.csv``, ``images.csv`` and ``index.html``.

    The page shows the images with the largest share of changed pixels; it needs no other file. The folder appears when
    it is complete.

    Args:
        document: What `compare_maps` or `compare_masks` returned.
        views: The labels to draw.
        out: The folder to write: one that does not exist or is empty, unless ``force`` is given.
        images: What to draw them on; None means grey.
        count: Largest number of images on the page.
        force: Replace a folder that this function wrote.
        progress: Draw a progress bar on stderr.

    Raises:
        LabelError: An image is missing or broken, or of another size than its labels.
        FileExistsError: ``out`` may not be replaced.
    """
    with atomic_folder(out, marker=DOCUMENT, force=force) as folder:
        write_json(folder / DOCUMENT, document, indent=True)
        for name, rows in (
            ("classes", document["by_class"]),
            ("moves", document["moves"]),
            ("images", document["images"]),
        ):
            (folder / f"{name}.csv").write_text(_csv(rows), encoding="utf-8")
        shown, present = [], set()
        for row in tqdm(document["images"][:count], unit="picture", disable=not progress):
            view = views.of(row["image"])
            present |= set(np.unique(view.old).tolist()) | set(np.unique(view.new).tolist())
            picture = _grey(view.old.shape) if images is None else images.read(row["image"], view.old.shape)
            panels = [
                draw_labels(picture, view.old, views.colour, SIDE),
                draw_labels(picture, view.new, views.colour, SIDE),
                draw_changes(picture, *view, views.colour, SIDE, with_clean=views.with_clean),
            ]
            shown.append((row, [_data(panel) for panel in panels]))
        (folder / PAGE).write_text(_page(document, shown, _legend(views, sorted(present))), encoding="utf-8")


def _page(document: Json, shown: Sequence[tuple[Json, list[str]]], legend: Sequence[tuple[str, str]]) -> str:
    environment = Environment(
        loader=PackageLoader("noisyseg.evaluation.label_diff", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    return environment.get_template("page.html.j2").render(
        document=document,
        headline=headline(document),
        shown=shown,
        legend=legend,
        fates={name: _css(FATE_COLOURS[name]) for name in shown_fates(document)},
        moves=document["moves"][:MOST_MOVES],
        before="given" if document["from"] == 0 else f"version {document['from']}",
        after="given" if document["to"] == 0 else f"version {document['to']}",
    )


def _legend(views: Views, present: Sequence[int]) -> list[tuple[str, str]]:
    found = []
    for k in present:
        colour = (255, 255, 255) if k == IGNORE else views.colour(k)
        if colour is not None:
            found.append(("ignored" if k == IGNORE else views.names[k], _css(colour)))
    return found


def _css(colour: Sequence[int]) -> str:
    return "#" + "".join(f"{channel:02x}" for channel in colour)


def _csv(rows: Sequence[Json]) -> str:
    buffer = io.StringIO()
    if rows:
        writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return buffer.getvalue()


def _grey(size_hw: tuple[int, int]) -> Picture:
    return np.full((*size_hw, 3), GREY, np.uint8)


def _data(picture: Picture) -> str:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=90)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
