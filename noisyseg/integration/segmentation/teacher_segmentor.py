"""A segmentor with a teacher: an average of its own weights over the training."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Literal, get_args

import torch
from mmengine.structures import PixelData
from mmseg.models.segmentors.base import BaseSegmentor
from mmseg.structures import SegDataSample
from torch import Tensor

from noisyseg.integration.segmentation.wrapping import without_preprocessor
from noisyseg.registry import MODELS

__all__ = ["TeacherStudentSegmentor"]

Buffers = Literal["average", "copy"]
TeacherMode = Literal["eval", "train"]
Who = Literal["student", "teacher"]
PREFIXES = ("student.", "teacher.")


@MODELS.register_module()
class TeacherStudentSegmentor(BaseSegmentor):
    """Any segmentor of mmseg, and a teacher that shows the losses of its heads what to expect.

    In training the teacher sees the student's inputs, without gradient, and its logits, at the size of the inputs, are
    in the samples as ``teacher_logits`` while the student computes its losses: `noisyseg.TeacherTargets` reads them
    from there. After each step of the optimizer `noisyseg.TeacherHook` calls `update_teacher`:

        teacher <- (1 - rate) * teacher + rate * student,    rate = max(momentum, 1 / (1 + updates))

    so that early on the teacher is the plain mean of the students so far, which random first weights soon leave.

    Teacher and number of updates are in the state, under ``teacher.``, ``updates``; the student under ``student.``. The
    state of a plain segmentor loads into both. In distributed training each process averages the same weights, so
    nothing needs to be sent; the teacher's parameters need no gradient, and DDP leaves them alone.

    Args:
        segmentor: Config of the student, such as ``mmseg.EncoderDecoder``.
        momentum: Least share of the student in an update, in (0, 1], as in mmengine's and mmdet's averages: 0.001 is
            an average over about the last 1000 steps.
        buffers: ``average`` takes running statistics into the average like weights, ``copy`` takes the student's; what
            is not a float is copied. With ``teacher_mode="train"`` the teacher's own batches move them besides.
        teacher_mode: ``eval`` (no dropout, running statistics) or ``train`` (dropout, the batch's statistics).
        predict_with: Whose predictions validation and test get.
        data_preprocessor: Where the segmentor's config has none; mmengine passes the one of the whole config.

    Raises:
        ValueError: An option is unknown, or the momentum out of range; when it trains: no hook has started the
            teacher, or the student gives no (N, K, H, W) logits.
    """

    updates: Tensor

    def __init__(
        self,
        segmentor: Mapping[str, Any],
        momentum: float = 0.001,
        buffers: Buffers = "average",
        teacher_mode: TeacherMode = "eval",
        predict_with: Who = "student",
        data_preprocessor: Mapping[str, Any] | None = None,
    ) -> None:
        if not 0 < momentum <= 1:
            raise ValueError(f"momentum: expected the student's share in (0, 1], such as 0.001, not {momentum}")
        for name, value, options in (
            ("buffers", buffers, Buffers),
            ("teacher_mode", teacher_mode, TeacherMode),
            ("predict_with", predict_with, Who),
        ):
            if value not in get_args(options):
                raise ValueError(f"{name}: expected one of {', '.join(get_args(options))}, not {value!r}")
        settings, data_preprocessor = without_preprocessor(segmentor, data_preprocessor)
        super().__init__(data_preprocessor=data_preprocessor)
        self.student = MODELS.build(settings)
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        self.momentum, self.buffers, self.teacher_mode, self.predict_with = (
            momentum,
            buffers,
            teacher_mode,
            predict_with,
        )
        self.register_buffer("updates", torch.zeros((), dtype=torch.long))
        self._done: int | None = None
        self._register_load_state_dict_pre_hook(_share_plain_state)

    @property
    def chosen(self) -> BaseSegmentor:
        """The network that predicts."""
        return self.teacher if self.predict_with == "teacher" else self.student

    @property
    def align_corners(self) -> bool:
        """As of the student."""
        return self.student.align_corners

    @property
    def num_classes(self) -> int:
        """As of the student."""
        return self.student.num_classes

    @property
    def out_channels(self) -> int:
        """As of the student."""
        return self.student.out_channels

    def init_weights(self) -> None:
        """Gives the student its first weights, those it would have without a teacher, and the teacher the same."""
        self.student.init_weights()
        self._copy_student()
        self._is_init = True

    def train(self, mode: bool = True) -> TeacherStudentSegmentor:
        """Sets the student to training, and the teacher to what ``teacher_mode`` says."""
        super().train(mode)
        self.teacher.train(mode and self.teacher_mode == "train")
        return self

    def start_teacher(self) -> None:
        """Lets the teacher begin as the student, unless it has been updated before, as after resuming."""
        self._done = int(self.updates)
        if not self._done:
            self._copy_student()

    @torch.no_grad()
    def update_teacher(self) -> None:
        """Takes the student's weights into the average; called after each step of the optimizer."""
        if self._done is None:
            raise ValueError("update_teacher: the teacher has not started; call start_teacher first")
        rate = max(self.momentum, 1 / (1 + self._done))
        for old, new in zip(self.teacher.parameters(), self.student.parameters(), strict=True):
            old.lerp_(new, rate)
        for old, new in zip(self.teacher.buffers(), self.student.buffers(), strict=True):
            if self.buffers == "average" and old.is_floating_point():
                old.lerp_(new, rate)
            else:
                old.copy_(new)
        self._done += 1
        self.updates += 1

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Returns the student's losses; while they are computed the samples have the teacher's logits."""
        if self._done is None:
            raise ValueError(
                "TeacherStudentSegmentor: no teacher to learn from; expected dict(type='noisyseg.TeacherHook') in "
                "custom_hooks, or start_teacher() and update_teacher() in a loop of your own"
            )
        size = inputs.shape[2:]  # not the samples' own, as the batch may be padded
        meta = {"ori_shape": size, "img_shape": size, "pad_shape": size, "padding_size": [0, 0, 0, 0]}
        with torch.no_grad():
            logits = self.teacher.encode_decode(inputs, [dict(meta) for _ in data_samples])
        if not isinstance(logits, Tensor) or logits.dim() != 4:
            raise ValueError(f"TeacherStudentSegmentor: {type(self.student).__name__} gives no (N, K, H, W) logits")
        for sample, image in zip(data_samples, logits, strict=True):
            sample.set_data({"teacher_logits": PixelData(data=image)})
        try:
            return self.student.loss(inputs, data_samples)
        finally:
            for sample in data_samples:
                del sample.teacher_logits

    def predict(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None) -> list[SegDataSample]:
        """Returns the predictions of the network that ``predict_with`` names."""
        return self.chosen.predict(inputs, data_samples)

    def extract_feat(self, inputs: Tensor) -> list[Tensor]:
        """Returns the features of the network that predicts."""
        return self.chosen.extract_feat(inputs)

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Returns the logits of the network that predicts."""
        return self.chosen.encode_decode(inputs, batch_img_metas)

    def _forward(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None) -> Tensor:
        return self.chosen(inputs, data_samples, mode="tensor")

    def _copy_student(self) -> None:
        self.teacher.load_state_dict(self.student.state_dict())


def _share_plain_state(state: dict[str, Any], prefix: str, *_: object) -> None:
    """Renames the entries of a plain segmentor's state for the student, and repeats them for the teacher."""
    own = [key for key in state if key.startswith(prefix)]
    if any(key.removeprefix(prefix).startswith(PREFIXES) for key in own):
        return
    for key in own:
        name = key.removeprefix(prefix)
        if name != "updates" and not name.startswith("data_preprocessor."):
            value = state.pop(key)
            for part in PREFIXES:
                state[prefix + part + name] = value
