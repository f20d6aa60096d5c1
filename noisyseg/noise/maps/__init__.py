"""Semantic maps that go wrong."""

from noisyseg.noise.maps.regions import ByRegion

__all__ = ["ByRegion"]
