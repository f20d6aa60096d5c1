"""What a promptable segmenter is asked, what it answers, and how one is made from a config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from noisyseg.labels import Mask
from noisyseg.noise.build import ARGUMENT
from noisyseg.registry import TASK_UTILS


class Prompts(NamedTuple):
    """P prompts on one image, all of one kind: boxes, or one point each. Positions name pixels: (0, 0) is the first.

    Attributes:
        boxes: (P, 4) float64 ``x0, y0, x1, y1``, both corners inside the box; None where there are points.
        points: (P, 2) float64 ``x, y``; None where there are boxes.
        labels: (P,) int64, 1 where a point is on the object and 0 where it is beside it; None where there are boxes.
    """

    boxes: npt.NDArray[np.float64] | None = None
    points: npt.NDArray[np.float64] | None = None
    labels: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """Returns P, the number of prompts."""
        return len(self.points if self.boxes is None else self.boxes)


class Answer(NamedTuple):
    """What a segmenter makes of one prompt.

    Attributes:
        masks: Its guesses, usually three; one where only one was asked for.
        scores: What it believes each guess to be worth.
    """

    masks: tuple[Mask, ...]
    scores: tuple[float, ...]


@runtime_checkable
class Prompter(Protocol):
    """A promptable segmenter; the same image and prompts give the same answers.

    Attributes:
        needs_image: Whether it looks at the image.
    """

    needs_image: bool

    def answers(
        self, image: npt.NDArray[np.uint8] | None, size_hw: tuple[int, int], prompts: Prompts, *, multimask: bool
    ) -> Iterator[Answer]:
        """Yields the answer to each prompt, in order.

        Args:
            image: (H, W, 3) uint8 RGB; None where it does not need one.
            size_hw: Rows and columns of the image.
            prompts: What is asked.
            multimask: Whether it is to give several guesses.
        """
        ...


def build_prompter(prompter: Prompter | Mapping[str, Any]) -> Prompter:
    """Returns the segmenter that a config dict names; a segmenter comes back as it is.

    Raises:
        ValueError: There is no such segmenter, or its arguments cannot be used; the message begins with ``prompter``.
    """
    if not isinstance(prompter, Mapping):
        return _checked(prompter, f"{prompter!r}")
    if not isinstance(prompter.get("type"), str):
        raise ValueError(f"prompter: expected dict(type=...), got {prompter!r}")
    arguments = dict(prompter)
    name = arguments.pop("type")
    arguments.pop("_scope_", None)  # mmengine puts it into what a config inherits through `noisyseg::`
    own = TASK_UTILS.module_dict.get(name.removeprefix("noisyseg."))
    try:
        # mmengine's own look-up imports torch, which costs every worker process seconds.
        built = TASK_UTILS.build(dict(prompter)) if own is None else own(**arguments)
    except (KeyError, TypeError, ValueError) as error:
        problem = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
        raise ValueError(f"prompter.{problem}" if ARGUMENT.match(problem) else f"prompter: {problem}") from error
    return _checked(built, f"a {type(built).__name__}")


def _checked(prompter: object, got: str) -> Prompter:
    if not isinstance(prompter, Prompter):
        raise ValueError(f"prompter: expected a segmenter with `answers` and `needs_image`, got {got}")
    return prompter
