"""Models work on windows around the objects, and give what they would give on whole frames."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from noisyseg.labels import Mask
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import build_noise
from noisyseg.noise.masks import __all__ as names

HERE = Path(__file__).parent
EVERY = {
    name: row
    for table in (HERE / "canonical.py", HERE.parent / "canonical.py")
    for name, row in runpy.run_path(str(table))["EVERY"].items()
    if row["type"].removeprefix("noisyseg.") in names
}


@pytest.fixture
def whole(labels):
    """Returns the labels with masks that are not cropped at all."""
    return labels.replace(masks=tuple(Mask.from_crop(0, 0, mask.frame(), mask.size_hw) for mask in labels.masks))


def test_every_model_of_masks_is_here():
    assert {row["type"].removeprefix("noisyseg.") for row in EVERY.values()} == set(names)


@pytest.mark.parametrize("name", EVERY)
def test_a_crop_gives_what_the_frame_gives(name, labels, whole):
    model = build_noise(EVERY[name])
    for seed in range(3):
        one, other = model(labels, keyed_rng(seed)), model(whole, keyed_rng(seed))
        for mask, of_frame in zip(one.masks, other.masks, strict=True):
            np.testing.assert_array_equal(mask.frame(), of_frame.frame())
