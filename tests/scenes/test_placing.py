from dataclasses import replace

import numpy as np
import pytest

from noisyseg.scenes import Light, Scene, SceneObject, Texture
from noisyseg.scenes.placing import place, visible

PLAIN = Texture("plain", ((0.9, 0.2, 0.2), (0.9, 0.2, 0.2)), period=8.0, angle=0.0, key=0)
NOON = Light(angle=0.0, shadow=0.0, fall_off=0.0, cast=(1.0, 1.0, 1.0), grain=0.0, key=0)


def square(x, y, half):
    return SceneObject("box", (x, y), half, 0.0, (1.0, 0.0, 0.0), PLAIN)


def scene(*things):
    return Scene((64, 64), PLAIN, NOON, things)


def seen(*things):
    return [index for index, _ in visible(scene(*things))]


def test_a_square_covers_the_pixels_whose_centres_it_holds():
    placed = place(square(20, 30, 5), (64, 64))
    frame = np.zeros((64, 64), bool)
    frame[placed.window] = placed.distance < 0
    expected = np.zeros((64, 64), bool)
    expected[25:35, 15:25] = True
    np.testing.assert_array_equal(frame, expected)


@pytest.mark.parametrize("centre", [(200.0, 30.0), (-200.0, 30.0), (30.0, 200.0), (30.0, -200.0)])
def test_an_object_outside_the_frame_has_no_pixels(centre):
    thing = replace(square(0, 0, 5), centre=centre)
    assert place(thing, (64, 64)).distance.size == 0
    assert seen(thing) == []


def test_a_rotated_object_covers_as_much():
    areas = [
        np.count_nonzero(place(replace(square(32, 32, 10), angle=angle), (64, 64)).distance < 0)
        for angle in np.linspace(0, 1.5, 7)
    ]
    np.testing.assert_allclose(areas, 400, rtol=0.03)


def test_no_objects_give_nothing_to_see():
    assert seen() == []


def test_a_hidden_object_is_not_seen():
    assert seen(square(32, 32, 6), square(32, 32, 10)) == [1]
    assert seen(square(32, 32, 10), square(32, 32, 6)) == [0, 1]


def test_a_fifth_must_be_uncovered():
    back, front = square(32, 32, 10), square(32, 42, 20)
    assert seen(back, replace(front, centre=(32.0, 46.0))) == [0, 1]  # 4 of 20 rows
    assert seen(back, replace(front, centre=(32.0, 45.0))) == [1]  # 3 of 20 rows


def test_twelve_pixels_must_be_uncovered():
    assert seen(square(32, 32, 2)) == [0]
    assert seen(square(32, 32, 1.5)) == []


def test_an_object_left_out_covers_nothing():
    back, middle = square(32, 32, 3.5), square(32, 32, 7)
    ring = replace(square(32, 32, 9), name="ring", form=(1.0, 0.75))
    assert seen(back, middle) == [1]
    assert seen(middle, ring) == [1]
    assert seen(back, middle, ring) == [0, 2]  # through the ring's hole, in spite of the middle one
