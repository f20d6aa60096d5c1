import pytest

from noisyseg.labels import LabelError
from noisyseg.labels.versions.matching import match_keys

NAMES = ("town/a", "town/b", "city/b", "c")


def test_keys_are_paths_or_names_alone():
    assert match_keys(["town/b", "c", "a"], NAMES) == {"town/b": "town/b", "c": "c", "town/a": "a"}


@pytest.mark.parametrize("key", ["town/a", "town/a_left", "a", "a_left"])
def test_the_ending_of_images_may_be_part_of_a_key(key):
    assert match_keys([key], NAMES, image_ending="_left") == {"town/a": key}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["b"], r"given: key 'b': expected one label of this name, got 'town/b', 'city/b'; LoadStoredLabels needs"),
        (["a", "town/a"], "expected one key of the store for 'town/a', got 'a' and 'town/a'"),
        (
            ["x/c", "d"],
            "expected labels for each key of the store, got none for 'd', 'x/c'; the names here are such as",
        ),
        ([f"k{i}" for i in range(9)], "'k0', 'k1', 'k2' and 6 more"),
    ],
)
def test_what_does_not_match_is_named(keys, message):
    with pytest.raises(LabelError, match=message):
        match_keys(keys, NAMES, file="given")
