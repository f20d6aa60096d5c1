import math
from dataclasses import replace

import pytest

from noisyseg.scenes import CATEGORIES, CLASSES, SceneObject, Texture

PLAIN = Texture("plain", ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0)), period=8.0, angle=0.0, key=0)
BOX = SceneObject("box", (16.0, 16.0), 8.0, 0.0, (1.0, 0.1, 0.0), PLAIN)


def test_category_k_is_class_k_minus_one():
    assert CATEGORIES.ids == (1, 2, 3, 4, 5, 6)
    assert CATEGORIES.names == CLASSES
    assert sorted(set(CATEGORIES.groups)) == ["angular", "round", "thin"]


def test_a_scene_is_equal_to_its_copy(scenes):
    assert replace(scenes[0], objects=tuple(scenes[0].objects)) == scenes[0]
    assert scenes[0] != scenes[1]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"name": "cat"}, "name: expected one of .*got 'cat'"),
        ({"radius": 0.0}, "radius: expected finite pixels > 0, got 0.0"),
        ({"radius": math.inf}, "radius: expected finite"),
        ({"centre": (math.nan, 1.0)}, "expected finite numbers"),
        ({"form": (1.0, math.inf, 0.0)}, "expected finite numbers"),
    ],
)
def test_an_impossible_object_is_refused(change, match):
    with pytest.raises(ValueError, match=match):
        replace(BOX, **change)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"pattern": "fur"}, "pattern: expected one of"),
        ({"period": 0.0}, "period: expected finite pixels > 0"),
    ],
)
def test_an_impossible_texture_is_refused(change, match):
    with pytest.raises(ValueError, match=match):
        replace(PLAIN, **change)


def test_a_scene_without_pixels_is_refused(scenes):
    with pytest.raises(ValueError, match="size_hw: expected rows and columns >= 1"):
        replace(scenes[0], size_hw=(0, 5))
