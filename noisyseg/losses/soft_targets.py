"""Where the targets of early-learning regularization come from: the interface, and an averaged network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from noisyseg.registry import MODELS

__all__ = ["SoftTargets", "TeacherTargets"]


class SoftTargets(ABC):
    """A source of soft targets for the pixels of a batch.

    It has no trained weights. Registered in ``MODELS``, so that a config of `PixelELR` can name it.
    """

    has_sigmoid_form: ClassVar[bool] = False
    """Whether it has a target for each channel of a sigmoid."""

    @abstractmethod
    def __call__(
        self, logits: Tensor, samples: Sequence[Any], *, sigmoid: bool, ignore_index: int, training: bool
    ) -> dict[str, Tensor]:
        """Returns the arguments ``soft_targets``, ``target_classes`` and ``target_weight`` of `PixelELR`, or some.

        Called under ``torch.no_grad()`` and without autocast.

        Args:
            logits: (N, K, H, W) float32, detached, at the size of the labels.
            samples: The N samples of the batch, with mmseg's fields.
            sigmoid: Whether the targets are for channels with a sigmoid each.
            ignore_index: Label of pixels that must change no state.
            training: False where nothing is to be remembered.
        """


@MODELS.register_module()
class TeacherTargets(SoftTargets):
    """The probabilities of an averaged network that saw the same view of the images.

    It reads the field ``teacher_logits`` of the samples, which ``noisyseg.TeacherStudentSegmentor`` attaches.
    """

    has_sigmoid_form: ClassVar[bool] = True

    def __call__(
        self, logits: Tensor, samples: Sequence[Any], *, sigmoid: bool, ignore_index: int, training: bool
    ) -> dict[str, Tensor]:
        """Returns ``soft_targets`` of the shape of the logits, float32.

        Raises:
            ValueError: The samples have no teacher's logits, or logits of another shape.
        """
        found = [getattr(sample, "teacher_logits", None) for sample in samples]
        if any(field is None for field in found):
            raise ValueError(
                "TeacherTargets: the samples have no teacher_logits; expected the segmentor inside of "
                "dict(type='noisyseg.TeacherStudentSegmentor', segmentor=...)"
            )
        teacher = torch.stack([field.data for field in found]).float()
        if teacher.shape != logits.shape:
            raise ValueError(
                f"TeacherTargets: expected teacher logits {tuple(logits.shape)}, as of the student at the size of "
                f"the labels, not {tuple(teacher.shape)}"
            )
        return {"soft_targets": teacher.sigmoid() if sigmoid else teacher.softmax(dim=1)}

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
