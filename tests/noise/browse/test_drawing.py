import cv2
import numpy as np
import pytest

from noisyseg.labels import Mask
from noisyseg.noise.browse.drawing import DARK, DIGITS, Shape, draw_shapes, fit, font, outlines, shortened


def square(side, size=20):
    frame = np.zeros((size, size), np.uint8)
    frame[4 : 4 + side, 6 : 6 + side] = 1
    return Mask.from_frame(frame)


@pytest.mark.parametrize(("scale", "slack"), [(0.5, 0.5), (1.0, 0.5), (4.0, 0.5), (7.3, 0.5)])
def test_outlines_lie_on_the_edge_of_the_scaled_mask(scale, slack):
    (ring,) = outlines(square(8), scale)
    points = ring[:, 0] / (1 << DIGITS) + 0.5  # from centres of pixels to places
    expected = np.array([6, 4]) * scale, np.array([14, 12]) * scale
    assert np.abs(points.min(axis=0) - expected[0]).max() <= slack
    assert np.abs(points.max(axis=0) - expected[1]).max() <= slack


def test_a_hole_has_an_outline():
    frame = np.ones((9, 9), np.uint8)
    frame[3:6, 3:6] = 0
    assert len(outlines(Mask.from_frame(frame), 2.0)) == 2


def test_an_empty_mask_has_none():
    assert outlines(Mask.empty((5, 5)), 3.0) == []


def test_a_line_is_bright_on_dark_and_the_input_stays():
    picture = np.full((600, 600, 3), 128, np.uint8)
    drawn = draw_shapes(picture, [Shape(square(8), (255, 0, 0))], 30.0)
    assert (picture == 128).all()
    for colour in ((255, 0, 0), DARK, (128, 128, 128)):
        # Smoothed lines are mixed with what is under them.
        assert (np.abs(drawn.astype(int) - colour).max(axis=2) < 60).any()


def test_a_fill_colours_the_inside_only():
    picture = np.full((80, 80, 3), 100, np.uint8)
    drawn = draw_shapes(picture, [Shape(square(8), (200, 100, 100))], 4.0, fill=0.5)
    assert drawn[32, 40].tolist() == [150, 100, 100]
    assert drawn[2, 2].tolist() == [100, 100, 100]


def test_words_stay_in_the_picture_and_out_of_each_others_way():
    picture = np.zeros((200, 200, 3), np.uint8)
    shapes = [Shape(square(3, 50), colour, "a long word") for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    drawn = draw_shapes(picture, shapes, 4.0)
    areas = [int((drawn == colour).all(axis=2).sum()) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    assert min(areas) > 0.6 * max(areas)


def test_a_word_at_the_corner_is_not_cut():
    frame = np.zeros((60, 60), np.uint8)
    frame[55:, 55:] = 1
    drawn = draw_shapes(np.zeros((60, 60, 3), np.uint8), [Shape(Mask.from_frame(frame), (255, 255, 0), "cat")], 1.0)
    bright = (drawn == (255, 255, 0)).all(axis=2).astype(np.uint8)
    width = cv2.boundingRect(bright)[2]
    assert width >= font(9).getlength("cat")


@pytest.mark.parametrize(("shape", "expected"), [((50, 100), (32, 64)), ((2000, 500), (64, 16)), ((1, 1000), (1, 64))])
def test_pictures_are_scaled_to_their_longer_side(shape, expected):
    scaled, scale = fit(np.zeros((*shape, 3), np.uint8), 64)
    assert scaled.shape == (*expected, 3)
    assert scale == 64 / max(shape)


def test_a_text_that_is_too_wide_loses_its_middle():
    face = font(12)
    short = shortened("annotations/of/a/very/long/name.json", 100, face)
    assert face.getlength(short) <= 100
    assert short.startswith("ann")
    assert short.endswith("json")
    assert "…" in short
    assert shortened("short", 100, face) == "short"
