"""Objects forgotten, invented, split and merged."""

from noisyseg.noise.objects.missing import Missing

__all__ = ["Missing"]
