"""The classes of PASCAL VOC, which SBD has too, in the order of their numbers from 1."""

from __future__ import annotations

_GROUPS = {
    "person": ("person",),
    "animal": ("bird", "cat", "cow", "dog", "horse", "sheep"),
    "vehicle": ("aeroplane", "bicycle", "boat", "bus", "car", "motorbike", "train"),
    "indoor": ("bottle", "chair", "diningtable", "pottedplant", "sofa", "tvmonitor"),
}
VOC_GROUP_OF = {name: group for group, names in _GROUPS.items() for name in names}
# The numbers follow the alphabet.
VOC_CLASSES = tuple(sorted(VOC_GROUP_OF))
