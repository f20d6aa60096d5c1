"""Clean labels beside the given ones, to see what a method does; nothing is trained on them."""

from __future__ import annotations

from pathlib import Path

from mmcv.transforms import BaseTransform
from mmseg.datasets.transforms import LoadAnnotations

from noisyseg.integration.samples import Sample
from noisyseg.integration.weight_transforms import WeightKey
from noisyseg.labels import LabelError
from noisyseg.registry import TRANSFORMS

__all__ = ["CLEAN_MAP", "LoadCleanMap"]

CLEAN_MAP = "gt_clean_map"


@TRANSFORMS.register_module()
class LoadCleanMap(BaseTransform):
    """Puts the clean labels of an image beside the given ones, for analysis only.

    Stands right behind ``mmseg.LoadAnnotations``. The clean map of ``IMG_DIR/a/b.jpg`` is ``ROOT/a/b.png``. It is read
    as mmseg reads the given labels, so the data set's ``reduce_zero_label`` and its choice of classes hold for it too.

    Adds ``gt_clean_map``, (H, W) uint8, and its key to ``seg_fields``.

    Args:
        root: Folder of the clean maps.
        suffix: Ending of their names.
        img_dir: Folder that the images' paths are relative to; None looks for ``ROOT/<file name>``.
        img_suffix: Ending of the images' names, such as ``_leftImg8bit.png``; None means what follows the last dot.

    Raises:
        LabelError: The map is missing, or of another size than the labels; the message names its file.
    """

    def __init__(
        self, root: str, suffix: str = ".png", img_dir: str | None = None, img_suffix: str | None = None
    ) -> None:
        self.root, self.suffix = Path(root), suffix
        self.key = WeightKey(img_dir, img_suffix)
        self._load = LoadAnnotations()

    def transform(self, results: Sample) -> Sample:
        """Returns ``results`` with the clean labels."""
        if "gt_seg_map" not in results:
            raise LabelError(
                "LoadCleanMap: the given labels are not loaded yet; expected a place behind LoadAnnotations",
                file=results.get("img_path"),
            )
        path = self.root / (self.key.of(results["img_path"]) + self.suffix)
        if not path.is_file():
            raise LabelError(f"expected the clean labels of {results['img_path']}, found no such file", file=path)
        settings = {name: results.get(name) for name in ("reduce_zero_label", "label_map")}
        clean = self._load({**settings, "seg_map_path": str(path), "seg_fields": []})["gt_seg_map"]
        if clean.shape != results["gt_seg_map"].shape:
            raise LabelError(
                f"expected clean labels of the given labels' size {results['gt_seg_map'].shape}, got {clean.shape}",
                file=path,
            )
        results[CLEAN_MAP] = clean
        results["seg_fields"].append(CLEAN_MAP)
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(root='{self.root}')"
