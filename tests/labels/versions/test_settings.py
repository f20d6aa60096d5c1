import json

import pytest

from noisyseg.labels import LabelError
from noisyseg.labels.versions import class_settings


def write(store, *settings):
    store.root.mkdir(parents=True)
    document = {"classes": ["x", "y"], "files": 2, "hash": "0", "settings": list(settings)}
    (store.root / "given.json").write_text(json.dumps(document))


@pytest.mark.parametrize("label_map", [None, {}, {"0": 0, "1": 1}])
def test_what_the_hook_noted_is_known(store, label_map):
    assert class_settings(store) == ((), None)
    write(store, {"reduce_zero_label": True, "label_map": label_map})
    assert class_settings(store) == (("x", "y"), True)


def test_a_label_map_is_refused(store):
    write(store, {"reduce_zero_label": False, "label_map": {"0": 0, "7": 1}})
    with pytest.raises(LabelError, match=r"given\.json: label_map: expected none, got one that makes 7 to 1"):
        class_settings(store)


def test_parts_that_differ_are_refused(store):
    write(store, *({"reduce_zero_label": reduced, "label_map": None} for reduced in (True, False)))
    with pytest.raises(LabelError, match="expected the same for all parts of the data set"):
        class_settings(store)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"classes": 3}', '{"classes": [], "settings": [{}]}'])
def test_a_broken_file_is_named(store, content):
    store.root.mkdir(parents=True)
    (store.root / "given.json").write_text(content)
    with pytest.raises(LabelError, match=r"given\.json: expected classes and settings of the given labels"):
        class_settings(store)
