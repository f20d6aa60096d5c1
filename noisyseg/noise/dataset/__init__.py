"""Noisy copies of whole data sets."""

from noisyseg.noise.dataset.any_layout import make_noise
from noisyseg.noise.dataset.generate import generate_noise

__all__ = ["generate_noise", "make_noise"]
