"""Boxes drawn wrongly."""

from noisyseg.noise.boxes.box_noise import BoxNoise
from noisyseg.noise.boxes.center_scale_jitter import CenterScaleJitter
from noisyseg.noise.boxes.coordinate_jitter import CoordinateJitter
from noisyseg.noise.boxes.gaussian_jitter import GaussianJitter
from noisyseg.noise.boxes.resampled_box import ResampledBox

__all__ = ["BoxNoise", "CenterScaleJitter", "CoordinateJitter", "GaussianJitter", "ResampledBox"]
