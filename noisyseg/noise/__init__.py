"""How labels go wrong: noise models, recipes made of them, and the loop over a data set."""

from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.approximation import Approximation
from noisyseg.noise.classes import ClassConfusion
from noisyseg.noise.compose import Chain, OneOf, Recipe, build_noise
from noisyseg.noise.generate import generate_noise
from noisyseg.noise.localization import Localization
from noisyseg.noise.model import Change, NoiseModel, ObjectNoise
from noisyseg.noise.regions import ByRegion
from noisyseg.noise.scale import Scale

__all__ = [
    "Approximation",
    "ByRegion",
    "Chain",
    "Change",
    "ClassConfusion",
    "Localization",
    "NoiseModel",
    "ObjectNoise",
    "OneOf",
    "Recipe",
    "Scale",
    "build_noise",
    "generate_noise",
    "keyed_rng",
]
