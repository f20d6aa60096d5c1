import pytest

from noisyseg.labels import Categories, LabelError

ENTRIES = [{"id": 9, "name": "cat", "supercategory": "animal"}, {"id": 2, "name": "car"}]


def test_classes_are_numbered_in_the_order_of_their_ids():
    categories = Categories.from_coco(ENTRIES)
    assert categories.ids == (2, 9)
    assert categories.names == ("car", "cat")
    assert categories.groups == (None, "animal")
    assert categories.index == {2: 0, 9: 1}
    assert len(categories) == 2


def test_the_order_in_a_file_changes_nothing():
    assert Categories.from_coco(ENTRIES) == Categories.from_coco(ENTRIES[::-1])


def test_names_alone_count_from_zero():
    categories = Categories.from_names(["a", "b"])
    assert (categories.ids, categories.names, categories.groups) == ((0, 1), ("a", "b"), (None, None))


def test_no_categories_are_none():
    assert len(Categories.from_coco([])) == 0


@pytest.mark.parametrize(
    "entry",
    [{"name": "a"}, {"id": 1}, {"id": "1", "name": "a"}, {"id": True, "name": "a"}, {"id": 1.0, "name": "a"}, 7],
)
def test_an_entry_without_id_or_name_is_an_error_that_names_it(entry):
    with pytest.raises(LabelError, match=r"categories\[2\]: expected an id \(whole number\) and a name, got"):
        Categories.from_coco([*ENTRIES, entry])


def test_an_id_twice_is_an_error():
    with pytest.raises(LabelError, match=r"ascending ids without duplicates, got \[2, 2, 9\]"):
        Categories.from_coco([*ENTRIES, {"id": 2, "name": "bus"}])


def test_fields_of_different_length_are_an_error():
    with pytest.raises(LabelError, match="as many names and groups as ids"):
        Categories((1, 2), ("a",), (None, None))
