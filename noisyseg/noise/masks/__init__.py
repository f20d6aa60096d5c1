"""Masks drawn wrongly: too loose, too coarse, unsteady, distorted, in the wrong place."""

from noisyseg.noise.masks.affine import Affine
from noisyseg.noise.masks.approximation import Approximation
from noisyseg.noise.masks.elastic import Elastic
from noisyseg.noise.masks.euclidean_scale import EuclideanScale
from noisyseg.noise.masks.localization import Localization
from noisyseg.noise.masks.markov_boundary import MarkovBoundary
from noisyseg.noise.masks.polygon_scale import PolygonScale
from noisyseg.noise.masks.redrawn_polygons import RedrawnPolygons
from noisyseg.noise.masks.resampled_localization import ResampledLocalization
from noisyseg.noise.masks.rotate import Rotate
from noisyseg.noise.masks.scale import Scale
from noisyseg.noise.masks.shift import Shift

__all__ = [
    "Affine",
    "Approximation",
    "Elastic",
    "EuclideanScale",
    "Localization",
    "MarkovBoundary",
    "PolygonScale",
    "RedrawnPolygons",
    "ResampledLocalization",
    "Rotate",
    "Scale",
    "Shift",
]
