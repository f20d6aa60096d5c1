"""Weights for all labels of a data set, written as files that training reads."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from noisyseg.correction.object_weights import object_agreement_weights
from noisyseg.correction.prediction import FloatMap, LabelMap
from noisyseg.labels import IGNORE, LabelError
from noisyseg.labels.coco import CocoFile, read_coco
from noisyseg.labels.files import write_json
from noisyseg.labels.folders import atomic_folder
from noisyseg.labels.label_pngs import read_label_png
from noisyseg.labels.paint import semantic_from_instances
from noisyseg.labels.semantic_files import map_names
from noisyseg.labels.weight_maps import write_key_weights, write_weight_map

__all__ = ["LabelMaps", "write_object_weights", "write_weight_maps"]

MANIFEST = "weights.json"


class LabelMaps:
    """The label maps of a folder of PNG files, or of a COCO file, by key.

    The key of ``LABELS/a/b.png`` is ``a/b``, and so is that of the image ``a/b.jpg`` in a COCO file, whose objects are
    painted as ``tools/dataset_converters/coco_to_semantic.py`` paints them.

    Args:
        source: A folder, or a COCO file with masks.
        suffix: Ending of the label maps in a folder, such as ``_gtFine_labelTrainIds.png``; it is no part of the key.
        void: Numbers in the files that mean "no class", besides 255.

    Raises:
        LabelError: There is no label map, or the COCO file cannot be used.
    """

    def __init__(self, source: str | Path, suffix: str = ".png", void: tuple[int, ...] = ()) -> None:
        self.source, self.suffix, self.void = Path(source), suffix, void
        self._coco: CocoFile | None = None
        if self.source.is_dir():
            names = (path.relative_to(self.source).as_posix() for path in self.source.rglob(f"*{suffix}"))
            self.keys = sorted(name.removesuffix(suffix) for name in names)
        else:
            self._coco = read_coco(self.source)
            self._ids = {name.removesuffix(".png"): id_ for id_, name in map_names(self._coco).items()}
            self.keys = list(self._ids)
        if not self.keys:
            raise LabelError(f"expected label maps *{suffix} in it, got none", file=self.source)

    def get(self, key: str) -> LabelMap:
        """Returns (H, W) classes, 255 where ignored.

        Raises:
            LabelError: There is no such map, or it cannot be used.
        """
        if self._coco is None:
            labels = read_label_png(self.source / f"{key}{self.suffix}").pixels.astype(np.int64)
            labels[np.isin(labels, self.void)] = IGNORE
            return labels
        if key not in self._ids:
            raise LabelError("expected an image of this name, got none", file=self.source, where=key)
        try:
            return semantic_from_instances(self._coco.instances(self._ids[key])).classes
        except LabelError as error:
            raise error.at(file=self.source, where=key) from None


def write_weight_maps(
    labels: LabelMaps,
    out_dir: str | Path,
    estimate: Callable[[str, LabelMap], FloatMap],
    *,
    about: dict[str, Any],
    force: bool = False,
    progress: bool = False,
) -> dict[str, Any]:
    """Writes a weight map ``OUT_DIR/<key>.png`` for each label map, and returns the manifest ``weights.json``.

    The folder appears when it is complete.

    Args:
        labels: The label maps.
        out_dir: The folder to write: one that does not exist or is empty, unless ``force`` is given.
        estimate: Returns the (H, W) weights in [0, 1] for a key and its label map.
        about: What the manifest says about the estimator.
        force: Replace a folder that this function wrote.
        progress: Draw a progress bar on stderr.

    Raises:
        LabelError: A label map cannot be used.
        FileExistsError: ``out_dir`` may not be replaced.
    """
    total = pixels = 0
    with atomic_folder(out_dir, marker=MANIFEST, force=force) as folder:
        for key in tqdm(labels.keys, unit="image", disable=not progress):
            given = labels.get(key)
            try:
                weights = estimate(key, given)
            except LabelError:
                raise
            except ValueError as error:
                raise LabelError(str(error), file=labels.source, where=key) from error
            write_weight_map(folder / f"{key}.png", weights)
            valid = given != IGNORE
            total, pixels = total + float(weights[valid].sum(dtype=np.float64)), pixels + int(valid.sum())
        manifest = {
            "source": labels.source.name,
            "estimator": about,
            "images": len(labels.keys),
            "mean_weight": total / pixels if pixels else None,
            "versions": {"noisyseg": version("noisyseg")},
        }
        write_json(folder / MANIFEST, manifest, indent=True)
    return manifest


def write_object_weights(
    source: str | Path, others: str | Path, out: str | Path, *, floor: float = 0.05, force: bool = False
) -> dict[str, float]:
    """Writes the weight of each annotation of a COCO file by its id, and returns them by id.

    Args:
        source: The annotations in force.
        others: A COCO file of the same images and classes by somebody else; images are matched by ``file_name``.
        out: The JSON file to write.
        floor: The least weight; see `object_agreement_weights`.
        force: Replace ``out``.

    Raises:
        LabelError: A file cannot be used, or ``others`` lacks an image.
        FileExistsError: ``out`` is there already.
    """
    if Path(out).exists() and not force:
        raise FileExistsError(f"{out}: is there already; force is needed to replace it; nothing was written")
    given, second = read_coco(source), read_coco(others)
    ids = {image["file_name"]: id_ for id_, image in second.images.items()}
    weights: dict[str, float] = {}
    for image_id, image in given.images.items():
        name = image["file_name"]
        if name not in ids:
            raise LabelError("expected an image of this name, got none", file=others, where=name)
        labels = given.instances(image_id)
        try:
            values = object_agreement_weights(labels, second.instances(ids[name]), floor)
        except ValueError as error:
            raise LabelError(str(error), file=others, where=name) from error
        weights |= zip(map(str, labels.source.tolist()), values.tolist(), strict=True)
    write_key_weights(out, weights)
    return weights
