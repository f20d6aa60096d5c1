"""Random scenes: where everything that varies between scenes is drawn."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from numpy.random import Generator

from noisyseg.scenes.description import CLASSES, PATTERNS, Colour, Light, Pattern, Scene, SceneObject, Texture

MIN_SIDE = 32
_THIN = 0.9
"""Least half width of a thin part, pixels: thinner ones would have gaps at pixel centres."""


class _Look(NamedTuple):
    """What a class often looks like; colour and pattern alone do not tell it."""

    hue: float
    pattern: Pattern


_LOOKS: Mapping[str, _Look] = MappingProxyType(
    {
        "blob": _Look(0.30, "dots"),
        "ring": _Look(0.13, "stripes"),
        "box": _Look(0.60, "checks"),
        "star": _Look(0.02, "plain"),
        "key": _Look(0.46, "marble"),
        "worm": _Look(0.82, "stripes"),
    }
)
_TYPICAL_HUE_RATE = 0.88
_TYPICAL_PATTERN_RATE = 0.7
_HUE_SPREAD = 0.06
_SMALL_RATE = 0.2
_LEAST_RADIUS = 4.5
"""Pixels: what is smaller in a small frame would have no room for its holes and thin parts."""


def sample_scene(rng: Generator, size_hw: tuple[int, int] = (128, 128)) -> Scene:
    """Returns a random scene of 7 to 12 objects.

    Args:
        rng: Where all randomness comes from.
        size_hw: Rows and columns, at least 32 each; objects grow with the shorter side.

    Raises:
        ValueError: The frame is too small.
    """
    if min(size_hw) < MIN_SIDE:
        raise ValueError(f"size_hw: expected rows and columns >= {MIN_SIDE}, got {size_hw}")
    things = [_sample_object(rng, size_hw) for _ in range(rng.integers(7, 13))]
    # Small things lie mostly in front, or few of them would be seen.
    depth = {id(thing): thing.radius * math.exp(0.5 * rng.standard_normal()) for thing in things}
    things.sort(key=lambda thing: -depth[id(thing)])
    return Scene(tuple(size_hw), _sample_background(rng, min(size_hw)), _sample_light(rng), tuple(things))


def _sample_object(rng: Generator, size_hw: tuple[int, int]) -> SceneObject:
    name = CLASSES[rng.integers(len(CLASSES))]
    small = rng.random() < _SMALL_RATE
    low, high = (0.045, 0.08) if small else (0.1, 0.28)
    radius = max(min(size_hw) * math.exp(rng.uniform(math.log(low), math.log(high))), _LEAST_RADIUS)
    if name in ("key", "worm"):
        radius *= 1.5  # thin objects are long, or they would have hardly any pixels
    return SceneObject(
        name=name,
        centre=(rng.uniform(0, size_hw[1]), rng.uniform(0, size_hw[0])),
        radius=radius,
        angle=rng.uniform(0, 2 * math.pi),
        form=_FORMS[name](rng, radius),
        texture=_sample_texture(rng, _LOOKS[name], radius),
    )


def _blob_form(rng: Generator, radius: float) -> tuple[float, ...]:  # noqa: ARG001 - one signature for all forms
    form = []
    for crests in range(2, 6):
        form += [rng.uniform(0, 0.36) / crests, rng.uniform(0, 2 * math.pi)]
    return tuple(form)


def _ring_form(rng: Generator, radius: float) -> tuple[float, ...]:
    aspect = rng.uniform(0.65, 1)
    return aspect, max(rng.uniform(0.2, 0.45) * aspect, 2 * _THIN / radius)


def _box_form(rng: Generator, radius: float) -> tuple[float, ...]:
    aspect = rng.uniform(0.45, 1)
    hole = rng.uniform(0.35, 0.6) * aspect if rng.random() < 0.35 and radius > 9 else 0.0
    return aspect, rng.uniform(0.05, 0.5) * aspect, hole


def _star_form(rng: Generator, radius: float) -> tuple[float, ...]:  # noqa: ARG001 - one signature for all forms
    tips = int(rng.integers(4, 8))
    return float(tips), rng.uniform(0.38, 0.55) + 0.02 * (tips - 4)


def _key_form(rng: Generator, radius: float) -> tuple[float, ...]:
    return (
        rng.uniform(0.28, 0.42),
        max(rng.uniform(0.06, 0.1), _THIN / radius),
        rng.uniform(0.2, 0.38),
    )


def _worm_form(rng: Generator, radius: float) -> tuple[float, ...]:
    return (
        rng.uniform(0.5, 1.8),
        rng.uniform(0, 2 * math.pi),
        rng.uniform(0.1, 0.4),
        max(rng.uniform(0.08, 0.15), _THIN / radius),
    )


_FORMS: Mapping[str, Callable[[Generator, float], tuple[float, ...]]] = MappingProxyType(
    {
        "blob": _blob_form,
        "ring": _ring_form,
        "box": _box_form,
        "star": _star_form,
        "key": _key_form,
        "worm": _worm_form,
    }
)


def _sample_texture(rng: Generator, look: _Look, radius: float) -> Texture:
    typical = rng.random() < _TYPICAL_HUE_RATE
    hue = look.hue + _HUE_SPREAD * rng.standard_normal() if typical else rng.random()
    pattern = look.pattern if rng.random() < _TYPICAL_PATTERN_RATE else PATTERNS[rng.integers(len(PATTERNS))]
    value = rng.uniform(0.6, 1.0)
    first = _colour(hue, rng.uniform(0.45, 0.95), value)
    second = _colour(hue + 0.06 * rng.standard_normal(), rng.uniform(0.2, 0.7), value * rng.uniform(0.55, 0.85))
    return Texture(
        pattern=pattern,
        colours=(first, second),
        period=max(rng.uniform(0.3, 0.6) * radius, 4.5),
        angle=rng.uniform(0, math.pi),
        key=int(rng.integers(2**31)),
    )


def _sample_background(rng: Generator, side: int) -> Texture:
    hue, value = rng.random(), rng.uniform(0.45, 0.9)
    second = _colour(hue + 0.12 * rng.standard_normal(), rng.uniform(0.02, 0.3), value * rng.uniform(0.6, 0.9))
    return Texture(
        pattern=("marble", "marble", "stripes", "checks")[rng.integers(4)],
        colours=(_colour(hue, rng.uniform(0.02, 0.3), value), second),
        period=side * rng.uniform(0.08, 0.35),
        angle=rng.uniform(0, math.pi),
        key=int(rng.integers(2**31)),
    )


def _sample_light(rng: Generator) -> Light:
    return Light(
        angle=rng.uniform(0, 2 * math.pi),
        shadow=rng.uniform(0.15, 0.5),
        fall_off=rng.uniform(0, 0.25),
        cast=(rng.uniform(0.88, 1.08), rng.uniform(0.88, 1.08), rng.uniform(0.88, 1.08)),
        grain=rng.uniform(0.005, 0.035),
        key=int(rng.integers(2**31)),
    )


def _colour(hue: float, saturation: float, value: float) -> Colour:
    return colorsys.hsv_to_rgb(hue % 1, saturation, value)
