"""What a label store holds, read beside the given labels, and written as an ordinary data set."""

from noisyseg.labels.versions.export import export_coco, export_maps
from noisyseg.labels.versions.history import Version, existing_store, existing_version, history, unneeded
from noisyseg.labels.versions.maps import GivenMaps, VersionMaps
from noisyseg.labels.versions.masks import GivenMasks, VersionMasks
from noisyseg.labels.versions.settings import ClassSettings, class_settings

__all__ = [
    "ClassSettings",
    "GivenMaps",
    "GivenMasks",
    "Version",
    "VersionMaps",
    "VersionMasks",
    "class_settings",
    "existing_store",
    "existing_version",
    "export_coco",
    "export_maps",
    "history",
    "unneeded",
]
