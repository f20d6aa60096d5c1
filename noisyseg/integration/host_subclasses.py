"""Subclasses of a host's classes, made when a config names one, that can be copied and pickled all the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from types import new_class
from typing import Any

__all__ = ["HostSubclass", "host_subclass", "overridden"]


class HostSubclass:
    """The part of a made class that says how its instances are rebuilt in a process that has not made it yet."""

    def __reduce_ex__(self, protocol: int) -> tuple[Callable, tuple[type, type], dict[str, Any]]:
        made = type(self)
        mixin, host = made.__bases__
        return _empty, (mixin, host), self.__dict__.copy()


@cache
def host_subclass(mixin: type, host: type) -> type:
    """Returns the class whose methods are those of ``mixin``, then those of ``host``; the same one at every call.

    Args:
        mixin: A subclass of `HostSubclass`.
        host: A class of mmseg or mmdet.
    """
    return new_class(f"{mixin.__name__}{host.__name__}", (mixin, host))


def overridden(host: type, methods: Sequence[str], bases: Sequence[type]) -> list[str]:
    """Returns those methods of ``host`` that are none of the ``bases``' own."""
    return [
        name
        for name in methods
        if all(getattr(host, name, None) is not getattr(base, name, object()) for base in bases)
    ]


def _empty(mixin: type, host: type) -> object:
    made = host_subclass(mixin, host)
    return made.__new__(made)
