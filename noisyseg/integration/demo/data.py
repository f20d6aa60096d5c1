"""What the demo trains on: scenes with clean labels, and the same images with noisy ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import noisyseg
from noisyseg.integration.recipes import load_recipe
from noisyseg.labels import Instances
from noisyseg.labels.coco import CocoFile, read_coco
from noisyseg.labels.semantic_files import write_semantic_maps
from noisyseg.noise.dataset.generate import generate_noise
from noisyseg.scenes import write_scenes

__all__ = ["CONFIGS", "DemoData", "make_data"]

CONFIGS = Path(noisyseg.__file__).parent / ".mim" / "configs"
NOISY_MAPS = "semantic_coco_n_hard"


@dataclass(frozen=True)
class DemoData:
    """The files of the demo's data set.

    Attributes:
        folder: Its root.
        clean: The COCO file of the training images.
        noisy: The noisy copy of it.
        manifest: What was done, as `noisyseg.noise.dataset.generate.generate_noise` returns it.
    """

    folder: Path
    clean: CocoFile
    noisy: CocoFile
    manifest: Mapping[str, Any]

    def image(self, image_id: int) -> Path:
        """Returns the file of a training image."""
        return self.folder / "images" / "train" / self.clean.images[image_id]["file_name"]

    def maps(self, image_id: int) -> tuple[Path, Path]:
        """Returns the clean and the noisy label map of a training image."""
        name = self.clean.images[image_id]["file_name"]
        return self.folder / "semantic" / "train" / name, self.folder / NOISY_MAPS / "train" / name

    def pair(self, image_id: int) -> tuple[Instances, Instances]:
        """Returns the clean and the noisy labels of a training image."""
        return self.clean.instances(image_id), self.noisy.instances(image_id)


def make_data(folder: Path, *, seed: int, train: int, val: int) -> DemoData:
    """Writes scenes and noisy labels for the training images, and returns where they are.

    Args:
        folder: Where to; a data set of scenes that stands there is replaced.
        seed: Seed of the scenes and of the noise.
        train: Number of training images.
        val: Number of validation images.
    """
    write_scenes(folder, train=train, val=val, seed=seed, force=True, progress=True)
    files = [folder / "annotations" / f"instances_train{suffix}.json" for suffix in ("", "_coco_n_hard")]
    manifest = generate_noise(load_recipe("coco_n_hard"), *files, seed=seed)
    clean, noisy = map(read_coco, files)
    write_semantic_maps(files[1], folder / NOISY_MAPS / "train")
    return DemoData(folder, clean, noisy, manifest)
