"""Labels and weights that change while a model trains, as a step of the training pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from noisyseg.integration.samples import Sample
from noisyseg.integration.weight_transforms import WEIGHT_MAP, WITNESS, WeightKey
from noisyseg.labels import LabelError
from noisyseg.labels.store import LabelStore
from noisyseg.labels.weight_maps import LEVELS
from noisyseg.registry import TRANSFORMS

__all__ = ["GIVEN_MAP", "KEY", "LoadStoredLabels", "StoreReader", "stored_label_steps"]

KEY = "label_key"
"""Where a sample holds the key of its labels in the store."""
GIVEN_MAP = "gt_given_map"


class StoreReader(BaseTransform):
    """A step of a training pipeline that takes from a label store what is in force.

    Args:
        store: Folder of the store; None leaves it to the hook that writes it.
        img_dir: Folder that the images' paths are relative to, for a key with sub folders; None takes the file's name.
        img_suffix: Ending of the images' names; None means what follows the last dot.
    """

    def __init__(self, store: str | None = None, img_dir: str | None = None, img_suffix: str | None = None) -> None:
        self.store = None if store is None else LabelStore(store)
        self.key = WeightKey(img_dir, img_suffix)

    def bind(self, root: Path) -> None:
        """Reads from the store in ``root`` from now on.

        Raises:
            LabelError: The config names another folder.
        """
        if self.store is not None and self.store.root.resolve() != root.resolve():
            raise LabelError(f"store: {type(self).__name__} reads {self.store.root}, but the hook writes {root}")
        self.store = self.store or LabelStore(root)

    def require_store(self) -> LabelStore:
        """Returns the store.

        Raises:
            LabelError: Nobody has said where it is.
        """
        if self.store is None:
            raise LabelError(
                f"{type(self).__name__} has no store: there is no hook that writes one, or loader workers were started "
                "before it said where; then name the same folder as store=... in both"
            )
        return self.store

    def __repr__(self) -> str:
        return f"{type(self).__name__}(store={None if self.store is None else str(self.store.root)!r})"


@TRANSFORMS.register_module()
class LoadStoredLabels(StoreReader):
    """Replaces the labels of an image by those in force in a label store, and puts their weights beside them.

    Stands where the given labels are complete: behind ``mmseg.LoadAnnotations`` and `noisyseg.InjectNoise`, and before
    all that moves pixels. The version in force is read for each sample, so that loader workers follow, persistent ones
    too: from the next epoch on, where an epoch begins with a new iterator; with an endless sampler after the batches
    that are read ahead.

    Adds ``gt_weight_map``, (H, W) uint8 (255 everywhere while the given labels are in force), ``image_weight`` and
    ``label_key``; see `noisyseg.LoadWeightMap` for what happens to the weights.

    Args:
        store: Folder of the store; None leaves it to the hook that writes it, such as `noisyseg.IterativeWeightHook`.
        img_dir: Folder that the images' paths are relative to, for a key with sub folders; None takes the file's name.
        img_suffix: Ending of the images' names; None means what follows the last dot.
        keep_given: Also put the given labels into the sample, as ``gt_given_map``.

    Raises:
        LabelError: The store has no folder yet, a file in it cannot be used, or a stored map has another size than the
            given labels.
    """

    def __init__(
        self,
        store: str | None = None,
        img_dir: str | None = None,
        img_suffix: str | None = None,
        keep_given: bool = False,
    ) -> None:
        super().__init__(store, img_dir, img_suffix)
        self.keep_given = keep_given

    def transform(self, results: Sample) -> Sample:
        """Returns ``results`` with labels and weights in force."""
        store = self.require_store()
        if "gt_seg_map" not in results:
            raise LabelError(
                "LoadStoredLabels: the given labels are not loaded yet; expected a place after LoadAnnotations",
                file=results.get("img_path"),
            )
        given = results["gt_seg_map"]
        key, version = self.key.of(results["img_path"]), store.current
        labels, weights = (self._map(key, kind, version, given.shape) for kind in ("labels", "weights"))
        if self.keep_given:
            results[GIVEN_MAP] = given.copy()
            results.setdefault("seg_fields", []).append(GIVEN_MAP)
        if labels is not None:
            results["gt_seg_map"] = labels.astype(given.dtype)
        results[WEIGHT_MAP] = np.full(given.shape, LEVELS, np.uint8) if weights is None else weights
        results[WITNESS] = results["gt_seg_map"].copy()
        results.setdefault("seg_fields", []).extend([WEIGHT_MAP, WITNESS])
        results["image_weight"] = store.values("image_weight", version).get(key, 1.0)
        results[KEY] = key
        return results

    def _map(self, key: str, kind: str, version: int, shape: tuple[int, int]) -> Any | None:  # noqa: ANN401
        pixels = self.store.get(key, kind, version)
        if pixels is not None and pixels.shape != shape:
            raise LabelError(
                f"{kind} of version {version}: expected the size of the given labels, {shape}, got {pixels.shape}",
                file=self.store.root,
                where=key,
            )
        return pixels


def stored_label_steps(dataset: Any) -> Iterator[StoreReader]:  # noqa: ANN401 - any host's data set
    """Yields every step that reads a store, in the pipelines of a data set and of those inside it, nested ones too."""
    for inner in (getattr(dataset, "dataset", None), *getattr(dataset, "datasets", ())):
        if inner is not None:
            yield from stored_label_steps(inner)
    yield from _steps(getattr(dataset, "pipeline", None))


def _steps(part: Any) -> Iterator[StoreReader]:  # noqa: ANN401
    if isinstance(part, StoreReader):
        yield part
    steps = getattr(part, "transforms", ())
    for step in steps if isinstance(steps, list | tuple) else ():
        yield from _steps(step)
