"""Imports what every cell needs; loaded once by the process from which the cells are forked."""

import gc
import importlib
from importlib.util import find_spec

__all__ = ["HOST_MODULES"]

HOST_MODULES = {
    "mmseg": ("apis", "datasets.transforms", "engine", "evaluation", "models", "visualization"),
    "mmdet": (),
}

for _host, _modules in HOST_MODULES.items():
    if find_spec(_host) is not None:
        for _module in _modules:
            importlib.import_module(f"{_host}.{_module}")

gc.freeze()  # what is loaded so far is shared by all cells and never garbage
