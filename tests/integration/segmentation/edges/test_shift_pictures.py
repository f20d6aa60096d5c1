import numpy as np
import pytest

from noisyseg.integration.segmentation.edges.shift_pictures import displacement_colours, displacement_picture


def colour_of(rows, columns, longest=10.0):
    return displacement_colours(np.array([[[float(rows)]], [[float(columns)]]]), longest)[0, 0].tolist()


def test_the_colour_says_direction_and_length():
    assert colour_of(0, 0) == [255, 255, 255]
    assert colour_of(0, 10) == [0, 0, 255]  # right: red, in BGR
    assert colour_of(0, -10) == [255, 255, 0]
    assert colour_of(0, 5) == [128, 128, 255]
    assert colour_of(0, 20) == colour_of(0, 10)
    assert colour_of(10, 0) != colour_of(-10, 0)


@pytest.mark.parametrize("size", [(100, 120), (20, 31), (400, 300)])
def test_edges_are_coloured_in_the_image_and_a_wheel_stands_beside_it(size):
    rng = np.random.default_rng(0)
    image, edges = rng.integers(0, 256, (*size, 3), np.uint8), rng.random(size) < 0.1
    field = rng.normal(size=(2, *size)) * 3
    picture = displacement_picture(image, field, edges, 10)
    height, width = size
    assert picture.shape[0] == height
    assert picture.shape[1] > width
    np.testing.assert_array_equal(picture[:, :width][edges], displacement_colours(field, 10)[edges])
    rest = picture[:, :width][~edges]
    assert (rest.max(axis=1) == rest.min(axis=1)).all()
    assert len(np.unique(picture[:, width:].reshape(-1, 3), axis=0)) > 50


def test_the_rim_of_the_wheel_has_the_colours_of_its_directions():
    picture = displacement_picture(
        np.zeros((300, 10, 3), np.uint8), np.zeros((2, 300, 10)), np.zeros((300, 10), bool), 4
    )
    wheel = picture[:96, 10:]
    assert wheel[47, -2].astype(int) == pytest.approx([0, 0, 255], abs=12)
    assert wheel[47, 1].astype(int) == pytest.approx([255, 255, 0], abs=12)
    assert not wheel[0, 0].any()


def test_wrong_input_says_what_was_expected():
    image, edges = np.zeros((4, 5, 3), np.uint8), np.zeros((4, 5), bool)
    with pytest.raises(ValueError, match="expected image"):
        displacement_picture(image, np.zeros((2, 4, 4)), edges, 1)
    with pytest.raises(ValueError, match="longest: expected"):
        displacement_picture(image, np.zeros((2, 4, 5)), edges, 0)
