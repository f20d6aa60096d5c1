"""What a segmentor gives up to a wrapper around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["without_preprocessor"]


def without_preprocessor(
    segmentor: Mapping[str, Any], default: Mapping[str, Any] | None
) -> tuple[dict[str, Any], Mapping[str, Any] | None]:
    """Returns the config of a segmentor without its data preprocessor, and that one, which is now the wrapper's.

    A config that was inherited through ``mmseg::`` notes its scope in the segmentor alone. The preprocessor gets it
    too, so that its type is still found.

    Args:
        segmentor: The config.
        default: The preprocessor where the segmentor has none.
    """
    settings = dict(segmentor)
    own = settings.pop("data_preprocessor", None)
    if isinstance(own, Mapping) and "_scope_" in settings:
        own = {"_scope_": settings["_scope_"], **own}
    return settings, own or default
