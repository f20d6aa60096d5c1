"""Segmentation and detection on annotations that are wrong: an extension of OpenMMLab.

Importing this package makes ``_base_ = "noisyseg::folder/file.py"`` resolve in config files. Import it before
``Config.fromfile`` in an entry point of your own; ``tools/train.py`` and ``tools/test.py`` do so.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
