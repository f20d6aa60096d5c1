import pytest

from noisyseg.labels.rng import keyed_rng
from noisyseg.scenes import render, sample_scene


@pytest.fixture(scope="session")
def scenes():
    """Two hundred random scenes, as the default data set has for training."""
    return [sample_scene(keyed_rng(0, "scenes", "train", index)) for index in range(1, 201)]


@pytest.fixture(scope="session")
def renderings(scenes):
    return [render(scene) for scene in scenes]
