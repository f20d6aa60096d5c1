"""The pictures of the demo's page, as PNG bytes.

Letters: H rows and W columns of an image.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from PIL import Image

from noisyseg.integration.demo.data import DemoData
from noisyseg.integration.demo.examples import Example
from noisyseg.integration.demo.training import Training
from noisyseg.labels import Instances
from noisyseg.scenes import PALETTE

__all__ = ["contours_picture", "curves_picture", "examples_picture", "predictions_picture"]

INK, CLEAN, NOISY, MUTED = "#1f2430", "#1b7f79", "#c8442f", "#8a8f9c"
COLOURS = np.array(PALETTE) / 255
CLASSES = ListedColormap(COLOURS)


def contours_picture(data: DemoData, image_ids: Sequence[int]) -> bytes:
    """Returns images with the outlines of their objects, clean ones above noisy ones, in the colour of the class."""
    figure = Figure(figsize=(2.3 * len(image_ids), 4.8), layout="constrained")
    axes = figure.subplots(2, len(image_ids), squeeze=False)
    for column, image_id in zip(axes.T, image_ids, strict=True):
        for ax, labels in zip(column, data.pair(image_id), strict=True):
            _show(ax, Image.open(data.image(image_id)))
            _outlines(ax, labels)
    for ax, title in zip(axes[:, 0], ("clean", "noisy"), strict=True):
        _row_title(ax, title)
    return _png(figure)


def examples_picture(data: DemoData, examples: Sequence[Example]) -> bytes:
    """Returns one object for each kind of noise, close up: its clean outline, and the noisy one over it."""
    figure = Figure(figsize=(2.6 * len(examples), 2.9), layout="constrained")
    for ax, example in zip(figure.subplots(1, len(examples), squeeze=False)[0], examples, strict=True):
        clean, noisy = data.pair(example.image_id)
        place = clean.source.tolist().index(example.annotation_id)
        _show(ax, Image.open(data.image(example.image_id)))
        for labels, colour, style in ((clean, "white", "solid"), (noisy, "#ffd166", "dashed")):
            ax.contour(labels.masks[place].frame(), [0.5], colors=[colour], linewidths=2, linestyles=style)
        _zoom(ax, np.stack([clean.boxes[place], noisy.boxes[place]]))
        names = clean.categories.names
        before, after = names[clean.classes[place]], names[noisy.classes[place]]
        ax.set_title(before if before == after else f"{before} → {after}", fontsize=10, color=INK)
    return _png(figure)


def predictions_picture(data: DemoData, image_ids: Sequence[int], trainings: Mapping[str, Training]) -> bytes:
    """Returns a row a training image: image, clean labels, noisy labels, and what each model predicts."""
    titles = ["image", "clean labels", "noisy labels", *(f"trained on\n{name} labels" for name in trainings)]
    figure = Figure(figsize=(1.9 * len(titles), 1.95 * len(image_ids) + 0.3), layout="constrained")
    axes = figure.subplots(len(image_ids), len(titles), squeeze=False)
    for row, image_id in zip(axes, image_ids, strict=True):
        _show(row[0], Image.open(data.image(image_id)))
        maps = [np.array(Image.open(file)) for file in data.maps(image_id)]
        maps += [training.predictions[data.image(image_id).name] for training in trainings.values()]
        for ax, classes in zip(row[1:], maps, strict=True):
            _show(ax, classes)
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(title, fontsize=10, color=INK)
    return _png(figure)


def curves_picture(clean: Training, noisy: Training) -> bytes:
    """Returns two charts: validation against clean labels, and agreement with the noisy labels."""
    figure = Figure(figsize=(9.6, 3.7), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.set_title("How good is the model? (validation, clean labels)", fontsize=10, loc="left", color=INK)
    right.set_title("What does it learn? (training images)", fontsize=10, loc="left", color=INK)
    for training, colour, name in ((clean, CLEAN, "trained on clean"), (noisy, NOISY, "trained on noisy")):
        left.plot(training.clean_val.iterations, training.clean_val.scores, color=colour, lw=2, label=name)
    curves = noisy.clean_train, noisy.noisy_train
    right.plot(curves[0].iterations, curves[0].scores, color=NOISY, lw=2, label="score against the clean labels")
    right.plot(
        curves[1].iterations, curves[1].scores, color=NOISY, lw=2, ls="--", label="agreement with its noisy labels"
    )
    right.plot(
        clean.noisy_train.iterations,
        clean.noisy_train.scores,
        color=CLEAN,
        lw=1.5,
        ls=":",
        label="agreement with them, trained on clean",
    )
    for ax in (left, right):
        ax.set_xlabel("iterations", color=INK)
        ax.set_ylabel("mean IoU, %", color=INK)
        ax.set_ylim(bottom=0)
        ax.grid(alpha=0.25)
        ax.legend(frameon=False, fontsize=9)
        ax.spines[["top", "right"]].set_visible(False)
    return _png(figure)


def _show(ax: Axes, picture: Image.Image | npt.NDArray[np.uint8]) -> None:
    """Draws an image, or a label map in the colours of its classes."""
    ax.imshow(picture, cmap=CLASSES, vmin=-0.5, vmax=len(COLOURS) - 0.5, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)


def _zoom(ax: Axes, boxes: npt.NDArray[np.float64]) -> None:
    """Shows the square window around some boxes."""
    low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    centre, reach = (low + high) / 2 - 0.5, (high - low).max() / 2 + 5
    ax.set_xlim(centre[0] - reach, centre[0] + reach)
    ax.set_ylim(centre[1] + reach, centre[1] - reach)
    ax.set_facecolor("#f1f1ec")
    ax.set_box_aspect(1)


def _row_title(ax: Axes, title: str) -> None:
    ax.set_ylabel(title, fontsize=11, color=INK)


def _outlines(ax: Axes, labels: Instances) -> None:
    for mask, class_ in zip(labels.masks, labels.classes.tolist(), strict=True):
        if mask.area:
            # One empty pixel around the frame closes the outline of objects that touch its border.
            frame = np.pad(mask.frame(), 1)
            steps = [np.arange(-1, size + 1) for size in labels.size_hw[::-1]]
            ax.contour(*steps, frame, [0.5], colors=[COLOURS[class_ + 1]], linewidths=1.6)
    height, width = labels.size_hw
    ax.set_xlim(-0.5, width - 0.5)
    ax.set_ylim(height - 0.5, -0.5)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    # Without the name of the software the same picture is the same bytes under every matplotlib.
    figure.savefig(buffer, format="png", dpi=110, transparent=True, metadata={"Software": None})
    return buffer.getvalue()
