"""A pass over the training images, shared between processes, that looks only at those that a correction can change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
from mmengine.dataset import pseudo_collate
from mmengine.dist import all_gather_object, get_dist_info
from torch.utils.data import DataLoader, Dataset, Subset
from tqdm import tqdm

from noisyseg.correction.label_changes import LabelChanges
from noisyseg.integration.given_labels import require_different_keys
from noisyseg.labels import LabelError

__all__ = ["ImagePass", "naming_image"]

BoolArray = npt.NDArray[np.bool_]


class ImagePass:
    """The images of a data set; each, and each file that is written for it, has one of the processes.

    Memory does not grow with the data set but for one bit a class and image: which classes an image has, so that from
    the second pass on only images that can change are loaded.

    Args:
        dataset: Of un-augmented images with their labels.
        num_classes: K.
        wants: Says of the (K + 1,) classes that an image has, and of the (K,) that are due, whether it can change; as
            that of `noisyseg.correction.CorrectionPolicy`.
        num_workers: Of the loader.
        progress: Draw a progress bar on stderr, where that is a terminal.
    """

    def __init__(
        self,
        dataset: Dataset,
        num_classes: int,
        wants: Callable[[BoolArray, BoolArray], bool],
        *,
        num_workers: int = 0,
        progress: bool = True,
    ) -> None:
        self.dataset, self.num_classes, self.wants = dataset, num_classes, wants
        self.num_workers, self.progress = num_workers, progress
        self.rank, self.world_size = get_dist_info()
        self._present: dict[int, bytes] = {}
        self._checked = False

    def batches(self, indices: Sequence[int]) -> Iterator[dict]:
        """Returns batches of one image each."""
        return DataLoader(
            Subset(self.dataset, indices), batch_size=1, num_workers=self.num_workers, collate_fn=pseudo_collate
        )

    def over(
        self, due: BoolArray, title: str, correct: Callable[[int, dict], tuple[str, LabelChanges | None]]
    ) -> LabelChanges:
        """Returns the changes of all images in all processes together.

        Args:
            due: (K,) the classes that are to be corrected.
            title: Of the progress bar.
            correct: Called with the index and the batch of each image that may change; returns its key and what has
                changed, or None if it was not predicted. It calls `remember`, and `can_change` before it predicts.

        Raises:
            LabelError: Two images have one key.
        """
        size = len(self.dataset)
        own = range(self.rank * size // self.world_size, (self.rank + 1) * size // self.world_size)
        indices = [index for index in own if index not in self._present or self.can_change(index, due)]
        silent = None if self.progress and self.rank == 0 else True
        batches = tqdm(self.batches(indices), desc=title, total=len(indices), unit="image", disable=silent)
        total, keys = LabelChanges.none(self.num_classes), []
        for index, batch in zip(indices, batches, strict=True):
            key, changes = correct(index, batch)
            keys.append(key)
            if changes is not None:
                total = changes if not total.images else total + changes
        if not self._checked:  # the first pass sees all images
            require_different_keys([key for part in all_gather_object(keys) for key in part])
            self._checked = True
        parts = [part for part in all_gather_object(total) if part.images]
        return sum(parts[1:], start=parts[0]) if parts else total

    def remember(self, index: int, present: BoolArray) -> None:
        """Keeps which classes, (K + 1,), an image has."""
        self._present[index] = np.packbits(present).tobytes()

    def can_change(self, index: int, due: BoolArray) -> bool:
        """Returns whether an image that is remembered can change."""
        bits = np.unpackbits(np.frombuffer(self._present[index], np.uint8), count=self.num_classes + 1)
        return self.wants(bits.astype(bool), due)


@contextmanager
def naming_image(path: str, title: str) -> Iterator[None]:
    """Names the image in a ``ValueError``, which becomes a `LabelError`."""
    try:
        yield
    except ValueError as error:
        raise LabelError(str(error), file=path, where=title) from error
