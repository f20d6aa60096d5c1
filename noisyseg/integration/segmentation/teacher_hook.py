"""Lets a teacher follow its student through a training."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from noisyseg.integration.segmentation.teacher_segmentor import TeacherStudentSegmentor
from noisyseg.registry import HOOKS

__all__ = ["TeacherHook"]


@HOOKS.register_module()
class TeacherHook(Hook):
    """Starts the teacher of a `noisyseg.TeacherStudentSegmentor`, and updates it after each step of the optimizer.

    With accumulated gradients that is once in so many iterations.

    Raises:
        ValueError: When a training begins: the model has no teacher.
    """

    priority = "NORMAL"  # before checkpoints are written

    def before_train(self, runner: Runner) -> None:
        """Starts the teacher, from the student's weights or from the checkpoint's own."""
        self._model(runner).start_teacher()

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Updates the teacher if the optimizer has made a step."""
        if runner.optim_wrapper.should_update():
            self._model(runner).update_teacher()

    @staticmethod
    def _model(runner: Runner) -> TeacherStudentSegmentor:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if not isinstance(model, TeacherStudentSegmentor):
            raise ValueError(
                f"TeacherHook: expected a model of type noisyseg.TeacherStudentSegmentor, not {type(model).__name__}"
            )
        return model
