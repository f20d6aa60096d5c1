"""Imports every module that registers a component, as far as the installed hosts allow.

The registries of `noisyseg.registry` import this module at the first look-up. A host that is absent is left
out, so that a user of mmseg alone never needs mmdet; a host that is present and does not import raises its
own error here.
"""

from importlib import import_module
from importlib.util import find_spec

__all__ = ["HOST_FOLDERS"]

for _module in (
    "inject_noise",
    "load_stored_labels",
    "random_state_hook",
    "record_pixel_origin",
    "sam",
    "split_metric",
    "target_bank",
    "target_bank_hook",
    "unpaired",
    "weight_transforms",
):
    import_module(f"noisyseg.integration.{_module}")

HOST_FOLDERS = {"mmdet": "noisyseg.integration.detection", "mmseg": "noisyseg.integration.segmentation"}

for _host, _folder in HOST_FOLDERS.items():
    if find_spec(_host) is not None:
        import_module(_folder)
