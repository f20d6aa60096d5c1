"""Segmentation and detection on annotations that are wrong: an extension of OpenMMLab.

Importing this package makes ``_base_ = "noisyseg::folder/file.py"`` resolve in config files. Import it before
``Config.fromfile`` in an entry point of your own; ``tools/train.py`` and ``tools/test.py`` do so.
"""

from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec

try:
    from mmengine.config.utils import MODULE2PACKAGE
except ModuleNotFoundError as error:
    raise ImportError(
        "noisyseg runs on mmengine, which could not be imported. Install torch first, then "
        "`pip install --no-build-isolation 'noisyseg[onedl]'` (or `'noisyseg[openmmlab]'`)"
    ) from error

__all__ = ["__version__"]

__version__ = "0.1.0"


def _make_configs_resolvable() -> None:
    """Enter noisyseg and the hosts into the table that mmengine resolves ``package::config`` with.

    mmengine looks the right-hand side up as a distribution and, where there is none of that name, as a module
    whose folder it takes. Names of modules are what works for every kind of install: the original mmengine
    expects the files of a distribution in site-packages, where an editable install has none.
    """
    MODULE2PACKAGE["noisyseg"] = "noisyseg.registry"
    for module in ("mmdet", "mmseg"):
        if not _is_distribution(MODULE2PACKAGE[module]) and find_spec(module) is not None:
            MODULE2PACKAGE[module] = module  # the OneDL builds: same module, another distribution


def _is_distribution(name: str) -> bool:
    """Return whether a distribution of that name is installed."""
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


_make_configs_resolvable()
