"""Masks of instances of a version: those of the store where it has one, else those of the given COCO file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from noisyseg.labels.coco_text import CocoText
from noisyseg.labels.errors import LabelError
from noisyseg.labels.masks import Mask
from noisyseg.labels.store import LabelStore
from noisyseg.labels.versions.matching import match_keys

__all__ = ["GivenMasks", "VersionMasks"]

Json = dict[str, Any]


class GivenMasks:
    """The annotations of a COCO file, by the name of their image: its ``file_name`` without the ending.

    Args:
        path: The file; its annotations stay text until they are asked for.
        image_ending: What image names have before the file type that is no part of a key, such as ``_leftImg8bit``.

    Attributes:
        images: Ids of the images by name, in the order of the file.

    Raises:
        LabelError: The file cannot be used, or two images have one name.
    """

    def __init__(self, path: str | Path, *, image_ending: str = "") -> None:
        self.coco, self.image_ending = CocoText(path), image_ending
        self.images: dict[str, int] = {}
        for image_id, entry in self.coco.images.items():
            file_name = entry.get("file_name")
            if not isinstance(file_name, str) or not PurePosixPath(file_name).stem:
                raise LabelError(f"file_name: expected a name, got {file_name!r}", file=path, where=f"image {image_id}")
            name = str(PurePosixPath(file_name).with_suffix("")).removesuffix(image_ending)
            if name in self.images:
                raise LabelError(
                    f"file_name: expected another name than image {self.images[name]} has, got {name!r} again",
                    file=path,
                    where=f"image {image_id}",
                )
            self.images[name] = image_id

    @property
    def path(self) -> Path:
        """The file."""
        return self.coco.path

    @property
    def names(self) -> list[str]:
        """The names of all images, in the order of the file."""
        return list(self.images)

    def size_hw(self, name: str) -> tuple[int, int]:
        """Returns rows and columns of an image.

        Raises:
            LabelError: The file does not say.
        """
        entry = self.coco.images[self.images[name]]
        size = entry.get("height"), entry.get("width")
        if not all(type(side) is int and side > 0 for side in size):
            raise LabelError(
                f"height, width: expected whole numbers >= 1, got {size[0]!r}, {size[1]!r}",
                file=self.path,
                where=f"image {entry['id']}",
            )
        return size

    def masks(self, name: str) -> tuple[dict[int, Mask], dict[int, int]]:
        """Returns the masks of an image and their classes 0..K-1, both by annotation id, in the order of the file.

        Raises:
            LabelError: An annotation cannot be used, or has no segmentation.
        """
        masks: dict[int, Mask] = {}
        classes: dict[int, int] = {}
        size_hw = self.size_hw(name)
        for annotation in self.coco.annotations_of(self.images[name]):
            try:
                category = annotation.get("category_id")
                if type(category) is not int or category not in self.coco.categories.index:
                    raise LabelError(f"category_id: expected one of the file's categories, got {category!r}")
                classes[annotation["id"]] = self.coco.categories.index[category]
                masks[annotation["id"]] = Mask.from_coco(annotation.get("segmentation"), size_hw)
            except LabelError as error:
                raise error.at(file=self.path, where=f"annotation {annotation['id']}") from None
        return masks, classes


class VersionMasks:
    """The masks of one version.

    Args:
        store: The store.
        version: A complete version, or 0.
        given: The given annotations.

    Attributes:
        keys: The key of each image, by name, of which some mask is not the given one.

    Raises:
        LabelError: The version is not there, holds label maps, or has a key that the given file lacks.
    """

    def __init__(self, store: LabelStore, version: int, given: GivenMasks) -> None:
        self.store, self.version, self.given = store, version, given
        self.holders = store.holders("instances", version)
        if not self.holders and store.holders("labels", version):
            raise LabelError(
                f"version {version} holds label maps; expected a folder of them as the given labels, got a COCO file",
                file=given.path,
            )
        self.keys = match_keys(self.holders, given.images, image_ending=given.image_ending, file=given.path)

    def source(self, name: str) -> int:
        """Returns the version whose file is in force for an image; 0 where it has none."""
        return self.holders[self.keys[name]] if name in self.keys else 0

    def replaced(self, name: str) -> Mapping[int, Mask]:
        """Returns the masks of an image that are not the given ones, by annotation id.

        Raises:
            LabelError: The file in the store is missing or broken, a mask has another size than the image, or the
                image has no annotation of that id.
        """
        if name not in self.keys:
            return {}
        key, holder = self.keys[name], self.source(name)
        file, size_hw = self.store.path(key, "instances", holder), self.given.size_hw(name)
        own = set(self.given.coco.ids[self.given.coco.positions[self.given.images[name]]].tolist())
        masks = {}
        for id_, mask in self.store.get(key, "instances", holder).items():
            if id_ not in own:
                raise LabelError(
                    f"expected an annotation of image {self.given.images[name]} in {self.given.path}, got none of it",
                    file=file,
                    where=f"id {id_}",
                )
            try:
                masks[id_] = Mask.from_coco(mask, size_hw)
            except LabelError as error:
                raise error.at(file=file, where=f"id {id_}") from None
        return masks
