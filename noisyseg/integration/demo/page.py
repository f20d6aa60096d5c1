"""The page that explains what happened, in one file without anything from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

import noisyseg
from noisyseg.integration.demo.data import DemoData
from noisyseg.integration.demo.examples import Example
from noisyseg.integration.demo.training import Training
from noisyseg.labels.files import atomic_path
from noisyseg.scenes import CLASSES, PALETTE

__all__ = ["write_page"]

NUMBERS = ("No", "One", "Two", "Three", "Four")


def write_page(
    path: Path,
    *,
    data: DemoData,
    examples: list[Example],
    pictures: Mapping[str, bytes],
    trainings: Mapping[str, Training],
    settings: Mapping[str, int],
) -> Path:
    """Writes the page and returns its path.

    Args:
        path: Where to.
        data: What was trained on.
        examples: One object for each kind of noise.
        pictures: PNG bytes by the name that the template knows.
        trainings: What came out, for "clean" and "noisy" labels.
        settings: ``train`` and ``val`` images, ``iterations`` and ``seed``.
    """
    environment = Environment(
        loader=PackageLoader("noisyseg.integration.demo", "."), autoescape=True, undefined=StrictUndefined
    )
    text = environment.get_template("page.html.j2").render(
        clean=trainings["clean"],
        noisy=trainings["noisy"],
        trainings=trainings,
        rates=data.manifest["rates"],
        objects=data.manifest["annotations"],
        kinds=[example.kind for example in examples],
        numbers=NUMBERS,
        legend=[(name, f"rgb{colour}") for name, colour in zip(CLASSES, PALETTE[1:], strict=True)],
        reading=_reading(trainings["clean"], trainings["noisy"]),
        version=noisyseg.__version__,
        **{name: f"data:image/png;base64,{base64.b64encode(png).decode()}" for name, png in pictures.items()},
        **settings,
    )
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return path


def _reading(clean: Training, noisy: Training) -> str:
    """Returns what the curves say, in words that fit their numbers."""
    lost = clean.clean_val.last - noisy.clean_val.last
    step, best = noisy.clean_val.best
    fallen = best - noisy.clean_val.last
    learned = noisy.noisy_train.last - clean.noisy_train.last
    sentences = [
        f"At the end the noisy labels have cost {lost:.1f} points on new pictures."
        if lost > 0
        else "In so short a training the noisy labels have cost nothing that can be measured."
    ]
    if fallen >= 0.5 and noisy.noisy_train.last > noisy.noisy_train.at(step):
        sentences.append(
            f"The network trained on them was best at step {step}, with {best:.1f}, and then lost {fallen:.1f} "
            "again: it first learned what the labels have in common, and then began to learn their mistakes by heart."
        )
    if learned > 0:
        sentences.append(
            f"It agrees with the noisy labels {learned:.1f} points better than a network that never saw them. That "
            "share of its knowledge is memorized noise: it helps with nothing else."
        )
    sentences.append(
        "A robust method is one that keeps the solid line up and the dashed line down; the same two scores "
        "stand in the log of every training here."
    )
    return " ".join(sentences)
