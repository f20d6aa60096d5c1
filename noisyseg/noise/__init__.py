"""How labels go wrong: noise models, recipes made of them, and the loop over a data set.

Importing this package registers every model; each is public in the folder that it stands in.
"""

from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import boxes, classes, edges, maps, masks, objects, prompts
from noisyseg.noise.build import NoiseConfigError, build_noise
from noisyseg.noise.compose import Chain, OneOf
from noisyseg.noise.dataset import generate_noise
from noisyseg.noise.model import Change, NoiseModel, ObjectNoise
from noisyseg.noise.population import Population
from noisyseg.noise.recipe import Recipe

__all__ = [
    "Chain",
    "Change",
    "NoiseConfigError",
    "NoiseModel",
    "ObjectNoise",
    "OneOf",
    "Population",
    "Recipe",
    "boxes",
    "build_noise",
    "classes",
    "edges",
    "generate_noise",
    "keyed_rng",
    "maps",
    "masks",
    "objects",
    "prompts",
]
