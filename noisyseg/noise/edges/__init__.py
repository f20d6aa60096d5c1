"""Edge labels that go wrong."""

from noisyseg.noise.edges.bias import EdgeBias
from noisyseg.noise.edges.coarse import EdgeCoarse
from noisyseg.noise.edges.density import EdgeDensityShift
from noisyseg.noise.edges.drop import EdgeDrop
from noisyseg.noise.edges.shift import EdgeShift
from noisyseg.noise.edges.spurious import EdgeSpurious

__all__ = ["EdgeBias", "EdgeCoarse", "EdgeDensityShift", "EdgeDrop", "EdgeShift", "EdgeSpurious"]
