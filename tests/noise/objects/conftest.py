"""Data sets of many boxes, and how a model runs over one."""

from functools import partial

import numpy as np
import pytest

from noisyseg.labels import Categories, Instances
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import Population

SIZE_HW = (60, 80)
CATEGORIES = Categories.from_names("abcde")


def _boxes(rng, n):
    left_top = rng.integers(0, (60, 40), (n, 2))
    return np.concatenate([left_top, left_top + rng.integers(1, 20, (n, 2))], axis=1).astype(float)


@pytest.fixture(scope="session")
def make_images():
    """Returns a function that makes the labels of images with so many boxes each, by image key; every 20th a crowd."""

    def make(counts, seed=0):
        rng = np.random.default_rng(seed)
        images, used = {}, 0
        for key, n in enumerate(counts, start=1):
            source = np.arange(used + 1, used + n + 1)
            used += n
            images[key] = Instances(
                size_hw=SIZE_HW,
                categories=CATEGORIES,
                boxes=_boxes(rng, n),
                classes=rng.choice(5, n, p=[0.4, 0.3, 0.2, 0.07, 0.03]),
                masks=None,
                source=source,
                crowd=source % 20 == 0,
            )
        return images

    return make


@pytest.fixture(scope="session")
def images(make_images):
    """Returns 120 images with 0 to 17 boxes each, some without any."""
    return make_images(np.random.default_rng(1).integers(0, 18, 120))


@pytest.fixture(scope="session")
def population_of():
    """Returns a function that lists the objects of a data set."""

    def population(images):
        labels = list(images.values())

        def joined(name):
            return np.concatenate([getattr(one, name) for one in labels])

        sides = joined("boxes")[:, 2:] - joined("boxes")[:, :2]
        places = np.repeat(np.arange(len(labels)), list(map(len, labels)))
        fields = joined("source"), joined("classes"), sides.prod(axis=1), joined("crowd")
        return Population(tuple(images), labels[0].categories, places, *fields)

    return population


@pytest.fixture(scope="session")
def run_over(population_of):
    """Returns a function that plans a model for a data set and gives noisy labels and params by image."""

    def run(model, images, seed=0):
        model, _ = model.planned(population_of(images), partial(keyed_rng, seed))
        return {key: model.run(labels, keyed_rng(seed, key)) for key, labels in images.items()}

    return run


@pytest.fixture(scope="session")
def left_after(run_over):
    """Returns a function that gives the ids that a model leaves of a data set."""

    def left(model, images, seed=0):
        noisy = run_over(model, images, seed).values()
        return {source for labels, _ in noisy for source in labels.source.tolist()}

    return left
