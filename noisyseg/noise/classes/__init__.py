"""Objects given the wrong class."""

from noisyseg.noise.classes.class_noise import ClassNoise
from noisyseg.noise.classes.confusion import ClassConfusion
from noisyseg.noise.classes.group_confusion import GroupConfusion
from noisyseg.noise.classes.matrix_confusion import MatrixConfusion
from noisyseg.noise.classes.pair_confusion import PairConfusion

__all__ = ["ClassConfusion", "ClassNoise", "GroupConfusion", "MatrixConfusion", "PairConfusion"]
