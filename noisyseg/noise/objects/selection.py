"""Which objects of a data set a model hits that promises exact numbers.

Every object has a uniform number of its own, which depends on the seed, its image and its id alone. Models take the
objects with the smallest numbers, so that at a higher rate the same objects are hit, and further ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.model import Streams
from noisyseg.noise.population import Population

Floats = npt.NDArray[np.float64]


def object_numbers(names: Sequence[str], streams: ObjectStreams, op: str) -> Floats:
    """Returns the number in [0, 1) of each object of one image.

    Args:
        names: What :func:`~noisyseg.noise.model.object_keys` calls them; pieces of one source have different numbers.
        streams: Those of the image.
        op: Name of the model that asks.
    """
    numbers = np.empty(len(names))
    for i, name in enumerate(names):
        source, _, piece = name.partition(".")
        numbers[i] = (streams.under(f"piece {piece}") if piece else streams).of(op, int(source)).random()
    return numbers


def population_numbers(population: Population, streams: Streams, op: str) -> Floats:
    """Returns the numbers of all objects of a data set: those that :func:`object_numbers` gives image by image."""
    numbers = np.empty(len(population))
    sources = population.source.tolist()
    for members in by_image(population):
        of_image = ObjectStreams(streams(population.images[population.image[members[0]]]))
        for i in members.tolist():
            numbers[i] = of_image.of(op, sources[i]).random()
    return numbers


def by_image(population: Population) -> list[npt.NDArray[np.int64]]:
    """Returns the places of the objects of each image that has any."""
    if not len(population):
        return []
    order = np.argsort(population.image, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(population.image[order])) + 1)


def smallest(numbers: Floats, sources: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """Returns the places of the ``count`` smallest numbers; of equal ones, those of the smaller sources."""
    return np.lexsort((sources, numbers))[:count]


def whole(share: float) -> int:
    """Returns ``floor(share)``; 0.29 * 100, which is 28.999999999999996, gives 29."""
    return math.floor(share + 1e-9)


def sources_at(population: Population, places: npt.NDArray[np.int64], op: str) -> frozenset[int]:
    """Returns the sources of objects, by which a planned model knows them again.

    Raises:
        ValueError: Another object of the data set has one of these sources.
    """
    sources = population.source[places]
    if np.isin(population.source, sources).sum() > len(sources):
        raise ValueError(f"{op} counts over the data set, where every annotation needs an id of its own")
    return frozenset(sources.tolist())


def countable(population: Population) -> npt.NDArray[np.int64]:
    """Returns the places of what exact numbers refer to: neither crowds nor objects that noise invented."""
    return np.flatnonzero(~population.crowd & (population.source >= 0))


def unplanned(op: str) -> ValueError:
    """Returns the error of a model that runs before it was planned."""
    return ValueError(
        f"{op} counts over the whole data set: it has to be planned before it runs on single images, as "
        "generate_noise does"
    )
