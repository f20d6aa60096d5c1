"""Data sets of edges in the layouts in which they are published."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from mmseg.datasets import BaseSegDataset, CityscapesDataset

from noisyseg.integration.segmentation.seg_dataset import SegDataset
from noisyseg.labels import LabelError
from noisyseg.labels.gt_fine import LABELS
from noisyseg.labels.voc_classes import VOC_CLASSES
from noisyseg.registry import DATASETS

__all__ = ["BSDS500Edges", "CityscapesEdges", "EdgeDataset", "SBDEdges"]

LABEL_IDS, INSTANCE_IDS = "_gtFine_labelIds.png", "_gtFine_instanceIds.png"
OUTSIDE = ("rectification border", "out of roi")
"""Labels of Cityscapes whose pixels are no part of the scene; the published edge labels ignore these two."""


@DATASETS.register_module()
class EdgeDataset(SegDataset):
    """Folders of images and of edge files, whose classes the config names in ``metainfo``.

    The edges of ``IMG_PATH/a/b.jpg`` are in ``EDGE_PATH/a/b.png``. Each sample has them as ``edge_path``, which
    `noisyseg.LoadEdgeLabels` reads. Label maps may lie beside them (``seg_map_path``).

    Args:
        data_prefix: ``img_path`` and ``edge_path``, relative to ``data_root``.
        edge_suffix: Ending of the names of edge files: ``.png``, ``.bin`` or ``.mat`` comes last.
        **settings: The arguments of `noisyseg.SegDataset`.

    Raises:
        ValueError: There is no ``edge_path``, or ``metainfo`` picks some of the classes.
        LabelError: An image has no edge file.
        FileNotFoundError: There is no image.
    """

    def __init__(
        self,
        data_prefix: Mapping[str, str],
        edge_suffix: str = ".png",
        **settings: Any,  # noqa: ANN401 - the host's arguments
    ) -> None:
        if not data_prefix.get("img_path") or not data_prefix.get("edge_path"):
            raise ValueError(f"data_prefix: expected img_path and edge_path, got {dict(data_prefix)}")
        self.edge_suffix = edge_suffix
        super().__init__(data_prefix=dict(data_prefix), **settings)

    def load_data_list(self) -> list[dict]:
        """Returns the images with their edge files."""
        if self.label_map is not None:
            raise ValueError(f"metainfo: expected all classes, {', '.join(self.METAINFO['classes'])}")
        images = super().load_data_list()
        img_dir, edge_dir = Path(self.data_prefix["img_path"]), Path(self.data_prefix["edge_path"])
        for image in images:
            name = Path(image["img_path"]).relative_to(img_dir).as_posix().removesuffix(self.img_suffix)
            path = edge_dir / (name + self.edge_suffix)
            if not path.is_file():
                raise LabelError(f"expected the edges of {image['img_path']}, found no such file", file=path)
            image["edge_path"] = str(path)
        return images


@DATASETS.register_module()
class BSDS500Edges(EdgeDataset):
    """BSDS500 as it is published: ``images/<split>/*.jpg`` and ``groundTruth/<split>/*.mat``.

    One class, edges of one pixel, 4 to 9 annotators an image.

    Args:
        data_prefix: By default the training images.
        **settings: The arguments of `noisyseg.EdgeDataset`; ``data_root`` is ``BSDS500/data``.
    """

    METAINFO: ClassVar = dict(classes=("boundary",), palette=[[255, 255, 255]])

    def __init__(
        self,
        data_prefix: Mapping[str, str] | None = None,
        **settings: Any,  # noqa: ANN401 - the host's arguments
    ) -> None:
        prefix = data_prefix or {"img_path": "images/train", "edge_path": "groundTruth/train"}
        super().__init__(data_prefix=prefix, **{"edge_suffix": ".mat"} | settings)


@DATASETS.register_module()
class SBDEdges(EdgeDataset):
    """SBD as it is published: ``img/*.jpg``, ``cls/*.mat`` or ``inst/*.mat``, and lists such as ``train.txt``.

    Args:
        data_prefix: By default ``img`` and ``cls``. Edges of ``inst`` also run between two objects of one class.
        ann_file: The list.
        **settings: The arguments of `noisyseg.EdgeDataset`; ``data_root`` is ``benchmark_RELEASE/dataset``. For labels
            that were prepared for CASENet give ``edge_suffix=".bin"`` and their folder.
    """

    METAINFO: ClassVar = dict(classes=VOC_CLASSES)

    def __init__(
        self,
        data_prefix: Mapping[str, str] | None = None,
        ann_file: str = "train.txt",
        **settings: Any,  # noqa: ANN401 - the host's arguments
    ) -> None:
        prefix = data_prefix or {"img_path": "img", "edge_path": "cls"}
        super().__init__(data_prefix=prefix, ann_file=ann_file, **{"edge_suffix": ".mat"} | settings)


@DATASETS.register_module()
class CityscapesEdges(BaseSegDataset):
    """Cityscapes as label maps to draw the edges of its 19 classes from: 0 for all other labels, k + 1 for class k.

    All pixels of a scene bound the classes, whatever their label, so `noisyseg.EdgesFromLabels` wants
    ``background=True`` here. Only "rectification border" and "out of roi" are ignored, as in the published edge labels.
    With ``mmseg.CityscapesDataset``, in contrast, all labels outside of the 19 are ignored and bound nothing.

    Each sample also has ``instance_map_path``, which `noisyseg.LoadInstanceMap` reads.

    Args:
        img_suffix: Ending of the images' names.
        seg_map_suffix: Ending of the names of label maps, which hold label ids.
        **settings: The arguments of ``mmseg.BaseSegDataset``.

    Raises:
        FileNotFoundError: There is no image.
    """

    METAINFO: ClassVar = CityscapesDataset.METAINFO

    def __init__(
        self,
        img_suffix: str = "_leftImg8bit.png",
        seg_map_suffix: str = LABEL_IDS,
        **settings: Any,  # noqa: ANN401 - the host's arguments
    ) -> None:
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **settings)

    def load_data_list(self) -> list[dict]:
        """Returns the images with their maps of labels and of objects."""
        images = super().load_data_list()
        if not images:
            raise FileNotFoundError(f"no image *{self.img_suffix} in {self.data_prefix['img_path']}")
        classes = self.METAINFO["classes"]
        numbers = {label.id: classes.index(label.name) + 1 if label.name in classes else 0 for label in LABELS}
        numbers |= {label.id: self.ignore_index for label in LABELS if label.name in OUTSIDE}
        for image in images:
            image["label_map"] = numbers
            image["instance_map_path"] = image["seg_map_path"].removesuffix(self.seg_map_suffix) + INSTANCE_IDS
        return images
