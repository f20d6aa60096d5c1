import pickle

import pytest

from noisyseg.labels import LabelError


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({}, "expected 1, got 2"),
        ({"file": "a.json"}, "a.json: expected 1, got 2"),
        ({"where": "annotation 7"}, "annotation 7: expected 1, got 2"),
        ({"file": "a.json", "where": "annotation 7"}, "a.json: annotation 7: expected 1, got 2"),
    ],
)
def test_the_message_names_what_is_known_of_the_place(place, message):
    assert str(LabelError("expected 1, got 2", **place)) == message


def test_a_place_is_filled_in_and_what_is_known_stays():
    error = LabelError("problem", where="annotation 7")
    assert str(error.at(file="a.json", where="image 1")) == "a.json: annotation 7: problem"
    assert str(error) == "annotation 7: problem"


def test_it_travels_between_processes():
    error = pickle.loads(pickle.dumps(LabelError("problem", file="a.json", where="annotation 7")))
    assert (error.problem, error.file, error.where) == ("problem", "a.json", "annotation 7")


def test_it_is_a_value_error():
    with pytest.raises(ValueError, match="problem"):
        raise LabelError("problem")
