from dataclasses import replace

import numpy as np
import pytest

from noisyseg.scenes import Texture
from noisyseg.scenes.description import PATTERNS
from noisyseg.scenes.textures import surface

X, Y = np.meshgrid(np.arange(64) + 0.5, np.arange(48) + 0.5)
STRIPES = Texture("stripes", ((1.0, 0.5, 0.0), (0.0, 0.5, 1.0)), period=16.0, angle=0.0, key=7)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_colours_lie_between_the_two_of_the_texture(pattern):
    colours = surface(replace(STRIPES, pattern=pattern), X, Y)
    assert colours.shape == (48, 64, 3)
    assert colours.min() >= 0
    assert colours.max() <= 1
    np.testing.assert_allclose(colours[..., 1], 0.5)
    np.testing.assert_allclose(colours[..., 0] + colours[..., 2], 1)


@pytest.mark.parametrize("pattern", [pattern for pattern in PATTERNS if pattern != "plain"])
def test_a_pattern_shows_both_colours(pattern):
    red = surface(replace(STRIPES, pattern=pattern), X, Y)[..., 0]
    assert (red > 0.6).mean() > 0.1
    assert (red < 0.4).mean() > 0.1


def test_a_plain_surface_has_the_first_colour():
    np.testing.assert_array_equal(surface(replace(STRIPES, pattern="plain"), X, Y)[3, 5], (1.0, 0.5, 0.0))


def test_stripes_repeat_after_their_period_and_turn_with_their_angle():
    red = surface(STRIPES, X, Y)[..., 0]
    np.testing.assert_allclose(red[:, 16:], red[:, :-16])
    assert np.ptp(red, axis=0).max() < 1e-12
    turned = surface(replace(STRIPES, angle=np.pi / 2), X, Y)[..., 0]
    assert np.ptp(turned, axis=1).max() < 1e-9


def test_marble_follows_from_its_key():
    marble = replace(STRIPES, pattern="marble")
    np.testing.assert_array_equal(surface(marble, X, Y), surface(marble, X, Y))
    assert (surface(marble, X, Y) != surface(replace(marble, key=8), X, Y)).mean() > 0.5
