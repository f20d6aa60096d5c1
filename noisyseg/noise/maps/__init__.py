"""Semantic maps that go wrong."""

from noisyseg.noise.maps.boundary import BoundaryNoise
from noisyseg.noise.maps.click import ClickDisc
from noisyseg.noise.maps.coarse import CoarsePolygons
from noisyseg.noise.maps.confusion import MapConfusion
from noisyseg.noise.maps.drop import DropNoise
from noisyseg.noise.maps.elastic import ElasticMap
from noisyseg.noise.maps.markov import MarkovMap
from noisyseg.noise.maps.medical import MedicalNoise
from noisyseg.noise.maps.regions import ByRegion
from noisyseg.noise.maps.shift import ShiftNoise
from noisyseg.noise.maps.superpixels import SuperpixelNoise
from noisyseg.noise.maps.swap import SwapNoise

__all__ = [
    "BoundaryNoise",
    "ByRegion",
    "ClickDisc",
    "CoarsePolygons",
    "DropNoise",
    "ElasticMap",
    "MapConfusion",
    "MarkovMap",
    "MedicalNoise",
    "ShiftNoise",
    "SuperpixelNoise",
    "SwapNoise",
]
