"""Label maps in PNG files, for any classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.datasets import BaseSegDataset

from noisyseg.registry import DATASETS

__all__ = ["SegDataset"]


@DATASETS.register_module()
class SegDataset(BaseSegDataset):
    """Folders of images and label maps, whose classes the config names in ``metainfo``.

    Args:
        void: Numbers in the label maps that mean "no class", such as 11 in CamVid; read as ignored, 255.
        **settings: The arguments of ``mmseg.BaseSegDataset``.
    """

    def __init__(self, void: Sequence[int] = (), **settings: Any) -> None:  # noqa: ANN401 - the host's arguments
        self.void = tuple(void)
        super().__init__(**settings)

    def load_data_list(self) -> list[dict]:
        """Returns the images with their label maps.

        Raises:
            FileNotFoundError: There is no image; mmseg would train on nothing until its sampler fails.
        """
        images = super().load_data_list()
        if not images:
            raise FileNotFoundError(f"no image *{self.img_suffix} in {self.data_prefix['img_path']}")
        if self.void:
            for image in images:
                image["label_map"] = (image["label_map"] or {}) | dict.fromkeys(self.void, self.ignore_index)
        return images
