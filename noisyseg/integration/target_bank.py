"""Soft targets from a bank of the network's own earlier predictions, one compact file an image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from noisyseg.integration.record_pixel_origin import ORIGIN, ORIGIN_WITNESS, origin_index, origin_key
from noisyseg.integration.target_cells import LEVELS, cell_grid, cell_means, cells_of, merge_top
from noisyseg.integration.target_files import TargetFiles
from noisyseg.losses.soft_targets import SoftTargets
from noisyseg.ops.checks import require
from noisyseg.registry import MODELS

__all__ = ["TargetBank"]


@MODELS.register_module()
class TargetBank(SoftTargets):
    """A running average of the predictions for each image, for `noisyseg.PixelELR`.

    Each image has a grid of cells of ``stride`` x ``stride`` pixels of the file on disk. When a view of the image is
    trained on, each cell takes the mean prediction of those of the view's pixels that come from it and whose label is
    not ignored: ``t <- momentum * t + (1 - momentum) * mean(p)``, the first time ``t <- mean(p)``. As in the paper the
    loss then uses the new t. Pixels of cells that had no prediction before have weight 0.

    It is kept as the ``top`` largest probabilities in steps of 1/255: 2 x ``top`` bytes a cell, 0.6 GB for the training
    images of Cityscapes (2975 x 128 x 256 x 6 bytes). Up to ``2 + keep`` versions of it are on disk, and of these
    only the batch's in memory. With steps so wide a target stays where it is when the prediction differs by less than
    1/(510 (1 - momentum)), 0.02 with a momentum of 0.9.

    The network reads and writes it, not the loader's workers, whose number does not matter. It takes:
    `noisyseg.RecordPixelOrigin` and `noisyseg.PackSegInputs` in the pipeline, `noisyseg.NoiseAwareHead` around the
    head, and `noisyseg.TargetBankHook`, which ties it to the checkpoints. Processes of one machine share it: each
    writes the images that it sees. An image that two of them see in the same iteration, as at the border of two
    epochs, has one of the two predictions afterwards. Several machines raise.

    On CUDA each step waits for the device. Sums over pixels are in no fixed order there, unless
    ``torch.use_deterministic_algorithms`` is on.

    Args:
        momentum: beta of the paper, in [0, 1): 0.7 and 0.9 on CIFAR-10 and CIFAR-100.
        top: Classes kept for a cell, at most the number of classes.
        stride: Side of a cell in pixels.
        keep: How many of the newest checkpoints can be resumed from.
        folder: Where the files of this training are; None stands for ``target_bank`` in the work directory.

    Raises:
        ValueError: A setting out of range.
    """

    def __init__(
        self, momentum: float = 0.9, top: int = 3, stride: int = 8, keep: int = 2, folder: str | None = None
    ) -> None:
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum: expected a number in [0, 1), not {momentum}")
        for name, value in (("top", top), ("stride", stride), ("keep", keep)):
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name}: expected a whole number >= 1, not {value!r}")
        self.momentum, self.top, self.stride, self.keep, self.folder = momentum, top, stride, keep, folder
        self.iteration = 0
        self._files: TargetFiles | None = None
        self._paths: dict[str, str] = {}

    def open(self, work_dir: str | Path, name: str) -> None:
        """Makes the files, in a folder of this name; from now on the bank can be used."""
        root = Path(work_dir) / "target_bank" if self.folder is None else Path(self.folder)
        self._files = TargetFiles(root / name, self.keep)

    @property
    def files(self) -> TargetFiles:
        """The files of the bank; raises ``ValueError`` before `open`."""
        if self._files is None:
            raise ValueError(
                "TargetBank: not tied to checkpoints; expected dict(type='noisyseg.TargetBankHook') in custom_hooks"
            )
        return self._files

    def __call__(
        self, logits: Tensor, samples: Sequence[Any], *, sigmoid: bool, ignore_index: int, training: bool
    ) -> dict[str, Tensor]:
        """Returns the targets (N, top, H, W), their classes and weights, after the update with the predictions.

        Raises:
            ValueError: No hook has opened the bank; more than 256 classes or fewer than ``top``; samples without
                origins, or with origins that a transform has not moved with the labels.
        """
        if not self.top <= logits.shape[1] <= LEVELS + 1:
            raise ValueError(f"TargetBank: expected {self.top} to {LEVELS + 1} classes, not {logits.shape[1]}")
        found = [
            self._of_image(probs, sample, ignore_index, training)
            for probs, sample in zip(logits.softmax(dim=1), samples, strict=True)
        ]
        names = ("soft_targets", "target_classes", "target_weight")
        return {name: torch.stack(maps) for name, maps in zip(names, zip(*found, strict=True), strict=True)}

    def _of_image(
        self,
        probs: Tensor,
        sample: Any,  # noqa: ANN401 - mmseg's, which need not be installed
        ignore_index: int,
        training: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:
        key, size = self._key_of(sample), tuple(sample.metainfo["ori_shape"][:2])
        labels = sample.gt_sem_seg.data.squeeze(0)
        index = origin_index(_origins(sample, labels, ignore_index), key, size)
        cells = cells_of(torch.where(labels == ignore_index, -1, index), size, self.stride)
        rows, columns = cell_grid(size, self.stride)
        shape = (2, self.top, rows, columns)
        stored = self.files.read(key, self.iteration)
        stored = np.zeros(shape, np.uint8) if stored is None else stored
        if stored.shape != shape:
            raise ValueError(f"TargetBank: expected {shape} for {key}, and {self.files.folder} has {stored.shape}")
        old = torch.from_numpy(stored).to(probs.device).flatten(2)
        new = old
        if training:
            new = merge_top(old, *cell_means(probs, cells, rows * columns), self.momentum)
            self.files.write(key, self.iteration + 1, new.reshape(shape).cpu().numpy())
        view = F.pad(new, (0, 1))[..., cells]  # the last cell stands for no pixel
        known = F.pad(old[0, 0] > 0, (0, 1))[cells]
        return view[0].float() / LEVELS, view[1].long(), known.float()

    def _key_of(self, sample: Any) -> str:  # noqa: ANN401 - see above
        path = str(sample.metainfo["img_path"])
        key = origin_key(path)
        if self._paths.setdefault(key, path) != path:
            raise ValueError(
                f"TargetBank: expected images that differ in the names of folder or file, not {self._paths[key]} and "
                f"{path}"
            )
        return key

    def __repr__(self) -> str:
        settings = f"momentum={self.momentum}, top={self.top}, stride={self.stride}, keep={self.keep}"
        return f"{type(self).__name__}({settings}, folder={self.folder!r})"


def _origins(sample: Any, labels: Tensor, ignore_index: int) -> Tensor:  # noqa: ANN401 - see above
    """Returns the numbers of a view's pixels in the frame (H, W) of its labels, 0 where these are padded.

    Raises:
        ValueError: There are none, or they have not moved with the labels (values on CUDA: a device-side assertion).
    """
    path = sample.metainfo["img_path"]
    if ORIGIN not in sample or ORIGIN_WITNESS not in sample:
        raise ValueError(
            f"TargetBank: {path} has no {ORIGIN}; expected noisyseg.RecordPixelOrigin in the pipeline, and "
            "noisyseg.PackSegInputs at its end"
        )
    numbers, witness = getattr(sample, ORIGIN).data.squeeze(0), getattr(sample, ORIGIN_WITNESS).data.squeeze(0)
    rows, columns = numbers.shape
    if rows > labels.shape[0] or columns > labels.shape[1]:
        raise ValueError(f"TargetBank: {_moved(path)}: {tuple(labels.shape)} and {tuple(numbers.shape)}")
    beyond = labels != ignore_index
    beyond[:rows, :columns] = labels[:rows, :columns] != witness
    require(~beyond.any(), lambda: f"TargetBank: {_moved(path)}")
    return F.pad(numbers, (0, labels.shape[1] - columns, 0, labels.shape[0] - rows))


def _moved(path: str) -> str:
    return (
        f"the labels of {path} have moved or changed since RecordPixelOrigin, and the origins have not; take mmseg's "
        "transforms, which move every map in seg_fields, and put RecordPixelOrigin behind what changes labels"
    )
