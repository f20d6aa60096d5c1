"""Look at what noise did: which objects changed how much, and a picture of the images that changed most."""

from noisyseg.noise.browse.changes import Comparison, ImageChange, ObjectChange, compare_files
from noisyseg.noise.browse.page import browse_noise

__all__ = ["Comparison", "ImageChange", "ObjectChange", "browse_noise", "compare_files"]
