"""Objects drawn anew by a promptable segmenter, from a box or a point of the clean mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.random import Generator

from noisyseg.labels import Instances, Mask
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.model import Change, ObjectNoise, Params, mask_of, object_keys
from noisyseg.noise.prompts.prompter import Answer, Prompter, Prompts, build_prompter
from noisyseg.registry import TASK_UTILS


class _Chosen(NamedTuple):
    mask: Mask
    index: int
    score: float


@TASK_UTILS.register_module()
class PromptNoise(ObjectNoise):
    """Replaces every mask by what a promptable segmenter makes of a weak annotation of it.

    The noise is that of the segmenter, so it depends on the image. A point can lie on another object, or mean a
    part or the whole: such masks are not the clean one with a worse outline, they are other things. An object without
    pixels is left alone; one for which the segmenter finds nothing gets an empty mask, and the recipe decides.

    It is ``costly``, so that a broken run over a data set goes on where it was, when the segmenter says that of itself.

    The scores and the choice stand in the draws. Not inside ``OneOf``, which draws before the segmenter is asked.

    Args:
        prompter: The segmenter, or its config: ``dict(type="noisyseg.SamPrompter", checkpoint=...)``.
        prompt: ``"box"`` is the tight box of the mask, ``"point"`` one point at the middle of that box, also where
            that is not on the object, ``"random_point"`` one pixel of the mask, each as likely as another.
        omega: Size of the box relative to the tight one, > 0; it is cut at the image. 1 unless ``prompt="box"``.
        jitter_std: Standard deviation of a Gaussian move of the point, as a share of the width and height of the box;
            the point stays inside the box. 0 unless ``prompt="point"``.
        multimask: Whether the segmenter is asked for several guesses.
        select: Which guess is taken: ``"score"`` that with the best score, ``"largest"`` that with the most
            pixels, ``"iou_oracle"`` that nearest to the mask that it replaces. The first of equals.

    Raises:
        ValueError: An argument cannot be used, or does not go with ``prompt``.

    Reference: COCO-WAN, the weak annotation noise of arXiv 2406.10891. The authors' code can scale the box by whole
    numbers alone; we take any. They lose the annotation ids; we keep them.
    """

    def __init__(
        self,
        prompter: Prompter | Mapping[str, Any],
        prompt: Literal["box", "point", "random_point"] = "box",
        omega: float = 1.0,
        jitter_std: float = 0.0,
        multimask: bool = True,
        select: Literal["score", "largest", "iou_oracle"] = "score",
    ) -> None:
        self._prompter = build_prompter(prompter)
        for name, value, words in (
            ("prompt", prompt, ("box", "point", "random_point")),
            ("select", select, ("score", "largest", "iou_oracle")),
        ):
            if value not in words:
                raise ValueError(f"{name}: expected one of {', '.join(words)}, got {value!r}")
        if not (0 < omega < np.inf and (omega == 1 or prompt == "box")):
            raise ValueError(f"omega: expected a number > 0, and 1 unless prompt='box', got {omega} for {prompt!r}")
        if not (0 <= jitter_std < np.inf and (jitter_std == 0 or prompt == "point")):
            raise ValueError(
                f"jitter_std: expected a number >= 0, and 0 unless prompt='point', got {jitter_std} for {prompt!r}"
            )
        self.prompter = dict(prompter) if isinstance(prompter, Mapping) else prompter
        self.prompt, self.omega, self.jitter_std = prompt, omega, jitter_std
        self.multimask, self.select = multimask, select
        self.needs_image = self._prompter.needs_image
        self.costly = getattr(self._prompter, "costly", False)

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params | None:
        """See the base class; ``box`` or ``point`` in pixels, the first one at (0, 0), both corners inside."""
        mask = mask_of(labels, i, self.op)
        if not mask.area:
            return None
        x0, y0, x1, y1 = mask.box
        low, high = np.array([x0, y0], float), np.array([x1 - 1, y1 - 1], float)
        if self.prompt == "box":
            grown = (self.omega - 1) / 2 * (high - low)
            last = np.array(labels.size_hw[::-1]) - 1.0
            return {"box": [*np.maximum(low - grown, 0).tolist(), *np.minimum(high + grown, last).tolist()]}
        if self.prompt == "point":
            point = (low + high) / 2
            if self.jitter_std:
                move = streams.of(self.op, int(labels.source[i])).normal(0.0, self.jitter_std, 2)
                point = np.clip(point + move * (high - low), low, high)
            return {"point": point.tolist()}
        left, top, pixels = mask.crop
        rows, columns = np.nonzero(pixels)
        place = int(streams.of(self.op, int(labels.source[i])).integers(len(rows)))
        return {"point": [float(left + columns[place]), float(top + rows[place])]}

    def run(self, labels: Instances, rng: Generator) -> tuple[Instances, Params]:
        """See :meth:`NoiseModel.run`; asks the segmenter once."""
        prompts = super().sample(labels, rng)["objects"]
        keys = {i: key for i, key in enumerate(object_keys(labels)) if key in prompts}
        objects, masks = {}, None if labels.masks is None else list(labels.masks)
        for i, chosen in self._chosen(labels, {i: prompts[key] for i, key in keys.items()}).items():
            masks[i] = chosen.mask
            objects[keys[i]] = prompts[keys[i]] | {"index": chosen.index, "score": chosen.score}
        noisy = labels.replace(masks=tuple(masks)) if objects else labels
        return noisy, {"op": self.op, "objects": objects}

    def sample(self, labels: Instances, rng: Generator) -> Params:
        """See :meth:`NoiseModel.sample`; with the ``index`` of the guess taken and its ``score``."""
        return self.run(labels, rng)[1]

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class; asks for all objects of the image at once."""
        return {i: Change(mask=chosen.mask) for i, chosen in self._chosen(labels, draws).items()}

    def _chosen(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, _Chosen]:
        """Returns the guess taken for each object: the one that its draws name, else the one that is selected."""
        if not draws:
            return {}
        if self.needs_image and labels.image is None:
            raise TypeError(f"{self.op} needs the image of the labels, but they have none")
        answers = self._prompter.answers(
            labels.image, labels.size_hw, self._prompts(list(draws.values())), multimask=self.multimask
        )
        chosen = {}
        for (i, drawn), answer in zip(draws.items(), answers, strict=True):
            index = drawn["index"] if "index" in drawn else self._selected(answer, labels.masks[i])
            chosen[i] = _Chosen(answer.masks[index], index, float(answer.scores[index]))
        return chosen

    def _prompts(self, drawn: Sequence[Params]) -> Prompts:
        if self.prompt == "box":
            return Prompts(boxes=np.array([draws["box"] for draws in drawn], np.float64))
        points = np.array([draws["point"] for draws in drawn], np.float64)
        return Prompts(points=points, labels=np.ones(len(points), np.int64))

    def _selected(self, answer: Answer, clean: Mask) -> int:
        if self.select == "score":
            return int(np.argmax(answer.scores))
        worth = (mask.area if self.select == "largest" else mask.iou(clean) for mask in answer.masks)
        return int(np.argmax(list(worth)))
