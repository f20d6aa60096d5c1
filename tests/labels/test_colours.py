import pytest

from noisyseg.labels.colours import DARKEST, brightness, class_colour


def test_colours_are_bright_and_differ():
    colours = [class_colour(k) for k in range(40)]
    assert len(set(colours)) == 40
    for colour in colours:
        assert all(0 <= channel <= 255 for channel in colour)
        assert brightness(colour) >= 255 * DARKEST - 1


def test_neighbours_are_far_apart():
    for k in range(80):
        a, b = class_colour(k), class_colour(k + 1)
        assert sum(abs(x - y) for x, y in zip(a, b, strict=True)) > 120


def test_brightness_of_grey_is_its_value():
    assert brightness((1, 1, 1)) == pytest.approx(1)
