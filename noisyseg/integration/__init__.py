"""The only shell of noisyseg on the OpenMMLab runtime: transforms, datasets, heads, wrappers, hooks, metrics.

Where a module goes is decided by what it imports:

- ``integration/*.py`` may import mmengine, mmcv and torch, never mmdet or mmseg;
- ``integration/detection/*.py`` may import mmdet besides, never mmseg;
- ``integration/segmentation/*.py`` may import mmseg besides, never mmdet.

This file imports nothing. The registries load `noisyseg.integration.components` at the first look-up of a
``noisyseg.X``; it imports every module that registers something, and the two host folders where their host is
installed. A new module is entered there, or in the ``__init__`` of its host folder.
"""

__all__: list[str] = []
