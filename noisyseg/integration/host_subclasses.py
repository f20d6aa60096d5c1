"""Subclasses of a host's classes, made when a config names one, that can be copied and pickled all the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from types import new_class
from typing import Any

from mmengine.registry import Registry

__all__ = ["HostSubclass", "host_class", "host_subclass", "overridden"]


class HostSubclass:
    """The part of a made class that says how its instances are rebuilt in a process that has not made it yet."""

    def __reduce_ex__(self, protocol: int) -> tuple[Callable, tuple[type, type], dict[str, Any]]:
        made = type(self)
        mixin, host = made.__bases__
        return _empty, (mixin, host), self.__dict__.copy()


def host_class(registry: Registry, head: str | type, base: type) -> type:
    """Returns the class that a config names.

    Args:
        registry: The host's registry.
        head: Its type, or the class itself.
        base: What it has to be a subclass of.

    Raises:
        ValueError: There is no such class, or it is of another kind.
    """
    found = registry.get(head) if isinstance(head, str) else head
    if found is None:
        raise ValueError(f"head: nothing is registered as {head!r}; expected the type of a {base.__name__}")
    if not (isinstance(found, type) and issubclass(found, base)):
        raise ValueError(f"head: expected the type of a {base.__module__.split('.')[0]}.{base.__name__}, not {head!r}")
    return found


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
