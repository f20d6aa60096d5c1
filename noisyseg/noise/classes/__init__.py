"""Objects given the wrong class."""

from noisyseg.noise.classes.confusion import ClassConfusion

__all__ = ["ClassConfusion"]
