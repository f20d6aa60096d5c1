"""Masks drawn wrongly: too loose, too coarse, unsteady, in the wrong place."""

from noisyseg.noise.masks.approximation import Approximation
from noisyseg.noise.masks.localization import Localization
from noisyseg.noise.masks.scale import Scale

__all__ = ["Approximation", "Localization", "Scale"]
