"""Weights survive the file within half a level; what is no weight map is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from noisyseg.labels import LabelError
from noisyseg.labels.weight_maps import (
    quantise_weights,
    read_key_weights,
    read_weight_map,
    write_key_weights,
    write_weight_map,
)


@given(arrays(np.float32, (3, 5), elements=st.floats(0, 1, width=32)))
def test_rounding_moves_a_weight_by_half_a_level_at_most(weights):
    assert np.abs(quantise_weights(weights) / 255 - weights.astype(np.float64)).max() <= 1 / 510 + 1e-7


def test_a_file_gives_back_the_weights_and_no_partial_file_stays(tmp_path):
    weights = np.linspace(0, 1, 21, dtype=np.float32).reshape(3, 7)
    write_weight_map(tmp_path / "a" / "x.png", weights)
    numbers = read_weight_map(tmp_path / "a" / "x.png")
    assert numbers.dtype == np.uint8
    assert numbers[0, 0] == 0
    assert numbers[-1, -1] == 255
    assert np.abs(numbers / 255 - weights).max() <= 1 / 510 + 1e-7
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["x.png"]


@pytest.mark.parametrize("bad", [-0.01, 1.01, np.nan, np.inf])
def test_a_weight_outside_of_0_to_1_is_refused_and_nothing_written(tmp_path, bad):
    with pytest.raises(LabelError, match=r"x\.png: expected weights in \[0, 1\], got"):
        write_weight_map(tmp_path / "x.png", np.array([[0.5, bad]]))
    assert list(tmp_path.iterdir()) == []


def test_a_stack_of_maps_is_refused(tmp_path):
    with pytest.raises(LabelError, match=r"expected \(H, W\) weights, got \(2, 2, 1\)"):
        write_weight_map(tmp_path / "x.png", np.ones((2, 2, 1)))


def test_what_is_no_weight_map_is_refused(tmp_path):
    with pytest.raises(LabelError, match=r"x\.png: this weight map does not exist"):
        read_weight_map(tmp_path / "x.png")
    (tmp_path / "x.png").write_text("no image")
    with pytest.raises(LabelError, match=r"x\.png: expected a PNG file, got something else"):
        read_weight_map(tmp_path / "x.png")
    Image.new("P", (4, 4)).save(tmp_path / "x.png")
    with pytest.raises(LabelError, match=r"x\.png: expected a grey PNG of 8 bits with weights, got mode P"):
        read_weight_map(tmp_path / "x.png")
    write_weight_map(tmp_path / "x.png", np.random.default_rng(0).random((64, 64)))
    (tmp_path / "x.png").write_bytes((tmp_path / "x.png").read_bytes()[:400])
    with pytest.raises(LabelError, match=r"x\.png: cannot be read: "):
        read_weight_map(tmp_path / "x.png")


def test_weights_by_key_survive_the_file(tmp_path):
    write_key_weights(tmp_path / "w.json", {12: 0.25, 3: 2, "town/a": np.float32(0.5)})
    assert read_key_weights(tmp_path / "w.json") == {"3": 2.0, "12": 0.25, "town/a": 0.5}
    with pytest.raises(LabelError, match=r"w\.json: 7: expected a finite weight >= 0, got nan"):
        write_key_weights(tmp_path / "w.json", {7: float("nan")})
    assert len(read_key_weights(tmp_path / "w.json")) == 3


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "expected JSON: "),
        ("[1]", "expected a JSON object of key: weight, got list"),
        ('{"a": -1}', "a: expected a finite weight >= 0, got -1"),
        ('{"a": true}', "a: expected a finite weight >= 0, got True"),
        ('{"a": "1"}', "a: expected a finite weight >= 0, got '1'"),
    ],
)
def test_weights_by_key_that_cannot_be_used_are_refused(tmp_path, text, problem):
    (tmp_path / "w.json").write_text(text)
    with pytest.raises(LabelError, match=rf"w\.json: {problem}"):
        read_key_weights(tmp_path / "w.json")


def test_an_absent_file_of_weights_is_named(tmp_path):
    with pytest.raises(LabelError, match=r"w\.json: this file of weights does not exist"):
        read_key_weights(tmp_path / "w.json")
