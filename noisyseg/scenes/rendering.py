"""From a scene to its picture and its perfect labels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from noisyseg.labels import Instances, Mask, SemanticMap
from noisyseg.labels.paint import semantic_from_instances
from noisyseg.labels.rng import keyed_rng
from noisyseg.scenes.description import CATEGORIES, CLASSES, Light, Scene, SceneObject
from noisyseg.scenes.edges import class_edges
from noisyseg.scenes.placing import Placed, place, visible
from noisyseg.scenes.textures import surface

Picture = npt.NDArray[np.float64]

_SHADOW_SOFTNESS = 1.5
_BEVEL = 2.5
_BEVEL_STRENGTH = 0.3


@dataclass(frozen=True, eq=False)
class Rendering:
    """A picture and its labels; H and W are the scene's size.

    Attributes:
        image: (H, W, 3) uint8, red, green, blue.
        instances: What is visible of each object, back to front, disjoint. ``source`` is the object's place
            in the scene's objects, counted from 1.
        semantic: The class of each pixel: 0 for background, else the file id of the instance's class.
        edges: (H, W) uint8 bit mask, see `noisyseg.scenes.edges.class_edges`.
    """

    image: npt.NDArray[np.uint8]
    instances: Instances
    semantic: SemanticMap
    edges: npt.NDArray[np.uint8]


def render(scene: Scene) -> Rendering:
    """Returns the picture of a scene and its labels; equal scenes give equal pixels.

    A pixel belongs to the frontmost object whose outline its centre lies in. The picture follows from the
    same outlines: an object covers at least half of each pixel of its label, and at most half of any other.

    Objects that are hardly visible appear neither in the picture nor in the labels: see
    `noisyseg.scenes.placing.visible`.
    """
    seen = visible(scene)
    owners = np.zeros(scene.size_hw, np.int64)
    for number, (_, placed) in enumerate(seen, start=1):
        owners[placed.window][placed.distance < 0] = number
    classes = np.array([CLASSES.index(scene.objects[index].name) for index, _ in seen], np.int64)
    instances = Instances.from_masks(
        [Mask.from_frame(owners == number) for number in range(1, len(seen) + 1)],
        classes,
        CATEGORIES,
        scene.size_hw,
        source=[index + 1 for index, _ in seen],
    )
    return Rendering(
        image=_photograph(scene, [(scene.objects[index], placed) for index, placed in seen]),
        instances=instances,
        semantic=semantic_from_instances(instances),
        edges=class_edges(owners, np.concatenate(([0], classes + 1))),
    )


def _photograph(scene: Scene, things: list[tuple[SceneObject, Placed]]) -> npt.NDArray[np.uint8]:
    height, width = scene.size_hw
    x, y = np.meshgrid(np.arange(width) + 0.5 - width / 2, np.arange(height) + 0.5 - height / 2)
    picture = surface(scene.background, x, y)
    for thing, placed in things:
        _cast_shadow(picture, thing, scene)
        _paint(picture, thing, placed, scene.light)
    light = scene.light
    along = (math.cos(light.angle) * x + math.sin(light.angle) * y) / (max(scene.size_hw) / 2)
    picture *= (1 - light.fall_off * along)[..., None] * np.array(light.cast)
    picture += light.grain * keyed_rng(light.key, "grain").standard_normal(picture.shape)
    return np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)


def _cast_shadow(picture: Picture, thing: SceneObject, scene: Scene) -> None:
    """Darkens what lies behind an object, in place."""
    throw = 1 + 0.1 * thing.radius
    x, y = thing.centre
    moved = (x + throw * math.cos(scene.light.angle), y + throw * math.sin(scene.light.angle))
    shadow = place(replace(thing, centre=moved), scene.size_hw)
    darkness = scene.light.shadow / (1 + np.exp(np.clip(shadow.distance / _SHADOW_SOFTNESS, -30, 30)))
    picture[shadow.window] *= (1 - darkness)[..., None]


def _paint(picture: Picture, thing: SceneObject, placed: Placed, light: Light) -> None:
    """Paints an object over what lies behind it, in place."""
    colours = surface(thing.texture, placed.x, placed.y)
    colours *= _bevel(placed.distance, light.angle)[..., None]
    cover = np.clip(0.5 - placed.distance, 0, 1)[..., None]
    behind = picture[placed.window]
    picture[placed.window] = behind + cover * (colours - behind)


def _bevel(distance: npt.NDArray[np.float64], angle: float) -> npt.NDArray[np.float64]:
    """Returns the brightness of a rounded rim: above 1 where the outline faces the light."""
    if min(distance.shape) < 2:
        return np.ones(distance.shape)
    slope_y, slope_x = np.gradient(distance)
    facing = -(slope_x * math.cos(angle) + slope_y * math.sin(angle))
    return 1 + _BEVEL_STRENGTH * facing * np.exp(np.minimum(distance, 0) / _BEVEL)
