"""Writes the masks that a translation of images gives, as label maps that a segmentation config trains on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from mmcv.transforms import BaseTransform
from mmengine.dist import barrier, is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from noisyseg.integration.unpaired.unpaired_dataset import foreground, image_tensor, read_image, sorted_names
from noisyseg.labels import Categories, LabelError, SemanticMap
from noisyseg.labels.files import write_json
from noisyseg.labels.folders import atomic_folder
from noisyseg.labels.instances import IGNORE
from noisyseg.labels.label_pngs import read_label_png
from noisyseg.labels.semantic_files import write_semantic_map
from noisyseg.registry import HOOKS, TRANSFORMS

__all__ = ["MANIFEST", "KeepForeground", "WritePseudoLabels", "otsu", "predicted_mask"]

MANIFEST = "pseudo_labels.json"
CLASSES = Categories.from_names(["background", "object"])

Mask = npt.NDArray[np.uint8]


def predicted_mask(model: nn.Module, pixels: npt.NDArray[np.uint8], size: int) -> Mask:
    """Returns (H, W) with 1 where the model holds the foreground for more likely than not.

    Args:
        model: In eval mode; gives probabilities (1, 1, size, size) for an image (1, 3, size, size) in [0, 1].
        pixels: (H, W, 3) red, green, blue.
        size: Height and width at which the model was trained; its answer is interpolated back.
    """
    device = next(model.parameters()).device
    probability = model(image_tensor(pixels, size)[None].to(device))
    larger = F.interpolate(probability, size=pixels.shape[:2], mode="bilinear", align_corners=False)
    return (larger[0, 0] > 0.5).to(torch.uint8).cpu().numpy()


def otsu(channel: npt.NDArray[np.uint8]) -> Mask:
    """Returns 1 where a channel is above its threshold after Otsu (1979), the trivial way to a mask."""
    return cv2.threshold(np.ascontiguousarray(channel), 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1]


@HOOKS.register_module()
class WritePseudoLabels(Hook):
    """Writes a label map for each image of a folder when the training ends: 0 background, 1 object.

    The maps are palette PNGs with the names of the images, and the folder appears when it is complete, with
    ``pseudo_labels.json`` in it. Where clean label maps are given, the intersection over union of the foreground,
    over the pixels of all images, is logged and kept there, for the masks and for trivial ways to get some: all
    pixels, and Otsu's threshold of the grey value and of the saturation. Clean maps change no pseudo label.

    Args:
        image_dir: Folder with PNG images.
        out_dir: Where the maps go; a folder that this hook wrote before is replaced.
        size: Height and width at which the model was trained.
        clean_dir: Folder with the clean label maps of the same names, for the score alone.

    Raises:
        ValueError: ``size`` is no multiple of 8, or the clean label map of an image has another size.
        FileExistsError: ``out_dir`` holds something else; raised before the training.
        FileNotFoundError: ``image_dir`` has no PNG file; raised before the training.
        LabelError: A clean label map cannot be read.
    """

    priority = "LOW"

    def __init__(self, image_dir: str, out_dir: str, size: int = 64, clean_dir: str | None = None) -> None:
        if size < 8 or size % 8:
            raise ValueError(f"size: expected a multiple of 8, got {size}")
        self.image_dir, self.out_dir, self.size = Path(image_dir), Path(out_dir), size
        self.clean_dir = None if clean_dir is None else Path(clean_dir)

    def before_train(self, runner: Runner) -> None:
        """Raises what would keep the maps from being written, before hours are spent."""
        del runner
        sorted_names(self.image_dir)
        if self.out_dir.exists() and any(self.out_dir.iterdir()) and not (self.out_dir / MANIFEST).is_file():
            raise FileExistsError(f"{self.out_dir}: expected a folder of this hook or none, got one without {MANIFEST}")

    def after_train(self, runner: Runner) -> None:
        """Writes the maps, on the main process, and logs the scores."""
        if is_main_process():
            model = runner.model.module if is_model_wrapper(runner.model) else runner.model
            learning = model.training
            model.eval()
            for name, score in self.write(model).items():
                runner.logger.info(f"foreground IoU of {name}: {score:.4f}")
                runner.message_hub.update_scalar(f"pseudo_labels/{name}", score)
            model.train(learning)
        barrier()

    @torch.no_grad()
    def write(self, model: nn.Module) -> dict[str, float]:
        """Writes the maps of a model in eval mode and returns the scores, by name; none without clean maps."""
        names = sorted_names(self.image_dir)
        counts: dict[str, npt.NDArray[np.int64]] = {}
        with atomic_folder(self.out_dir, marker=MANIFEST, force=True) as folder:
            for name in names:
                pixels = read_image(self.image_dir / name)
                mask = predicted_mask(model, pixels, self.size)
                write_semantic_map(folder / name, SemanticMap(mask, CLASSES))
                if self.clean_dir is not None:
                    for kind, count in self._counted(name, pixels, mask).items():
                        counts[kind] = counts.get(kind, np.zeros(2, np.int64)) + count
            scores = {kind: float(both / max(either, 1)) for kind, (both, either) in counts.items()}
            manifest = {"classes": CLASSES.names, "images": len(names), "foreground_iou": scores}
            write_json(folder / MANIFEST, manifest, indent=True)
        return scores

    def _counted(self, name: str, pixels: npt.NDArray[np.uint8], mask: Mask) -> dict[str, npt.NDArray[np.int64]]:
        """Returns how many pixels are in both and in either of the clean foreground and each way's."""
        path = self.clean_dir / name
        clean = foreground(read_label_png(path).pixels)
        if clean.shape != mask.shape:
            raise LabelError(f"expected {mask.shape} pixels as in the image, got {clean.shape}", file=path)
        ways = {
            "pseudo_labels": mask,
            "all_foreground": np.ones_like(mask),
            "otsu_grey": otsu(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)),
            "otsu_saturation": otsu(cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)[..., 1]),
        }
        known, true = clean != IGNORE, clean == 1
        return {
            kind: np.array([(known & true & (way == 1)).sum(), (known & (true | (way == 1))).sum()], np.int64)
            for kind, way in ways.items()
        }


@TRANSFORMS.register_module()
class KeepForeground(BaseTransform):
    """Makes one class of all classes but 0 in the label map of a sample, so that it can be compared to pseudo labels.

    Goes after the host's loading of annotations and works on ``gt_seg_map``; ignored pixels stay.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Returns ``results`` with two classes.

        Raises:
            KeyError: There is no label map.
        """
        if "gt_seg_map" not in results:
            raise KeyError("KeepForeground: expected gt_seg_map; put it after the loading of annotations")
        results["gt_seg_map"] = foreground(results["gt_seg_map"])
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
