"""The demo from beginning to end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from noisyseg.integration.demo.data import NOISY_MAPS, make_data
from noisyseg.integration.demo.examples import find_examples, find_images
from noisyseg.integration.demo.page import write_page
from noisyseg.integration.demo.pictures import (
    contours_picture,
    curves_picture,
    examples_picture,
    predictions_picture,
)
from noisyseg.integration.demo.training import Training, train_segmenters
from noisyseg.labels.files import atomic_path, write_json

__all__ = ["DemoResult", "run_demo"]

SHOWN = 60
"""Training images that validation looks at, see the config."""


@dataclass(frozen=True)
class DemoResult:
    """What the demo leaves.

    Attributes:
        page: The HTML page.
        picture: Images with clean labels, noisy labels and predictions.
        trainings: Curves of the trainings on "clean" and "noisy" labels.
    """

    page: Path
    picture: Path
    trainings: Mapping[str, Training]

    @property
    def table(self) -> str:
        """The scores as text: mean IoU in percent."""
        lines = [f"{'':24}{'clean val':>10}{'best':>8}{'at step':>9}{'clean train':>13}{'noisy labels':>14}"]
        for name, training in self.trainings.items():
            step, best = training.clean_val.best
            lines.append(
                f"trained on {name + ' labels':13}{training.clean_val.last:>10.1f}{best:>8.1f}{step:>9}"
                f"{training.clean_train.last:>13.1f}{training.noisy_train.last:>14.1f}"
            )
        return "\n".join(lines)


def run_demo(out: str | Path, *, seed: int, iterations: int, train: int, val: int) -> DemoResult:
    """Makes scenes and noisy labels, trains on both versions, and returns where the page is.

    The same arguments give the same labels everywhere, and the same scores on machines of the same kind.

    Args:
        out: A folder that does not exist, is empty, or holds an earlier demo, which is replaced.
        seed: Seed of everything.
        iterations: Length of each training, at least 4.
        train: Number of training images.
        val: Number of validation images.

    Raises:
        FileExistsError: ``out`` holds something else.
    """
    out = Path(out)
    if out.exists() and any(out.iterdir()) and not (out / "scenes" / "scenes.json").is_file():
        raise FileExistsError(f"{out}: exists and is not a demo; it will not be replaced")
    data = make_data(out / "scenes", seed=seed, train=train, val=val)
    trainings = train_segmenters(
        data.folder, {"clean": "semantic", "noisy": NOISY_MAPS}, out, iterations=iterations, seed=seed
    )
    examples = find_examples(data)
    shown = find_images(data, 4, SHOWN)
    pictures = {
        "contours": contours_picture(data, shown),
        "examples": examples_picture(data, examples),
        "predictions": predictions_picture(data, shown, trainings),
        "curves": curves_picture(**trainings),
    }
    with atomic_path(out / "labels_and_predictions.png") as partial:
        partial.write_bytes(pictures["predictions"])
    settings = {"train": train, "val": val, "iterations": iterations, "seed": seed}
    page = write_page(
        out / "index.html", data=data, examples=examples, pictures=pictures, trainings=trainings, settings=settings
    )
    write_json(out / "scores.json", {name: _scores(training) for name, training in trainings.items()}, indent=True)
    return DemoResult(page, out / "labels_and_predictions.png", trainings)


def _scores(training: Training) -> dict:
    curves = ("clean_val", "clean_train", "noisy_train")
    return {name: asdict(getattr(training, name)) for name in curves}
