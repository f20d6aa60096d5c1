"""Objects forgotten, invented, split and merged."""

from noisyseg.noise.objects.bogus import Bogus
from noisyseg.noise.objects.exactly import Exactly
from noisyseg.noise.objects.merge import Merge
from noisyseg.noise.objects.missing import Missing
from noisyseg.noise.objects.split import Split
from noisyseg.noise.objects.una import Una

__all__ = ["Bogus", "Exactly", "Merge", "Missing", "Split", "Una"]
