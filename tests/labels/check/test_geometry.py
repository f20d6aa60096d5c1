import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from noisyseg.labels import Mask
from noisyseg.labels.check.geometry import measure

SIZE_HW = (23, 31)


def measured(segmentation, size_hw=SIZE_HW):
    shape, problems = measure(segmentation, size_hw)
    assert problems == []
    return shape


def test_a_square():
    shape = measured([[2, 3, 12, 3, 12, 8, 2, 8]])
    assert shape == ((2, 3, 12, 8), 50, (2, 3, 12, 8), 50, 30)


def test_a_run_that_goes_on_in_the_next_column():
    assert measured({"size": [4, 5], "counts": [6, 4, 10]}, (4, 5)).box == (1, 0, 3, 4)


def test_runs_of_length_zero_belong_to_no_box():
    assert measured({"size": [4, 5], "counts": [0, 0, 5, 1, 1, 0, 13]}, (4, 5)).box == (1, 1, 2, 2)


@given(pixels=arrays(np.uint8, SIZE_HW, elements=st.integers(0, 1), fill=st.just(0)))
def test_rle_measures_what_the_decoded_mask_measures(pixels):
    mask = Mask.from_frame(pixels)
    shape, problems = measure(mask.rle, SIZE_HW)
    if not mask.area:
        assert [code for code, _ in problems] == ["mask-empty"]
        return
    assert (shape.box, shape.area) == (mask.box, mask.area)


@given(points=st.lists(st.floats(-5, 40), min_size=6, max_size=20).filter(lambda numbers: len(numbers) % 2 == 0))
def test_polygons_measure_what_the_decoded_mask_measures(points):
    mask = Mask.from_coco([points], SIZE_HW)
    shape, problems = measure([points], SIZE_HW)
    if not mask.area:
        assert "mask-empty" in [code for code, _ in problems]
        return
    assert (shape.box, shape.area) == (mask.box, mask.area)


@pytest.mark.parametrize(
    ("segmentation", "code"),
    [
        ([[0, 0, float("nan"), 0, 5, 5]], "polygon-nan"),
        ([[0, 0, 5, 5]], "polygon-short"),
        ({"size": [4, 5], "counts": [6, 4, 11]}, "rle-total"),
    ],
)
def test_without_an_image_the_form_is_still_checked(segmentation, code):
    shape, problems = measure(segmentation, None)
    assert shape is None
    assert [found for found, _ in problems] == [code]
    assert measure([[0, 0, 5, 0, 5, 5]], None) == (None, [])
