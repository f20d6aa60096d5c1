import json

import numpy as np
import pytest

from noisyseg.labels import LabelError
from noisyseg.labels.versions import GivenMasks, VersionMasks


def frame(size, x, y, w, h):
    pixels = np.zeros(size, bool)
    pixels[y : y + h, x : x + w] = True
    return pixels


def test_masks_and_classes_are_by_id_in_file_order(given_coco):
    given = GivenMasks(given_coco)
    assert given.names == ["x/a", "x/b"]
    masks, classes = given.masks("x/a")
    assert (list(masks), list(classes.values())) == ([10, 12], [0, 1])  # classes in the order of category ids
    np.testing.assert_array_equal(masks[10].frame(), frame((20, 30), 2, 2, 10, 10))


def test_a_version_replaces_some_masks(given_coco, store, write_version, encode):
    given, new = GivenMasks(given_coco), frame((20, 30), 5, 0, 3, 20)
    version = write_version(store, {"x/a": {12: encode(new)}}, kind="instances")
    masks = VersionMasks(store, version, given)
    assert list(masks.replaced("x/a")) == [12]
    np.testing.assert_array_equal(masks.replaced("x/a")[12].frame(), new)
    assert masks.replaced("x/b") == {}
    assert (masks.source("x/a"), masks.source("x/b")) == (version, 0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({11: (20, 30)}, r"v0001/instances/x/a\.json: id 11: expected an annotation of image 3 in .*given\.json"),
        ({10: (20, 31)}, r"v0001/instances/x/a\.json: id 10: RLE size: expected the image's \[20, 30\]"),
    ],
)
def test_what_does_not_go_with_the_file_is_named(given_coco, store, write_version, encode, values, message):
    version = write_version(
        store, {"x/a": {id_: encode(np.ones(size)) for id_, size in values.items()}}, kind="instances"
    )
    with pytest.raises(LabelError, match=message):
        VersionMasks(store, version, GivenMasks(given_coco)).replaced("x/a")


def test_maps_instead_of_masks(given_coco, store, write_version):
    version = write_version(store, {"x/a": np.zeros((20, 30), np.uint8)})
    with pytest.raises(LabelError, match="holds label maps; expected a folder of them as the given labels"):
        VersionMasks(store, version, GivenMasks(given_coco))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"file_name": 7}, "image 1: file_name: expected a name, got 7"),
        ({"file_name": "x/a.png"}, "image 1: file_name: expected another name than image 3 has"),
        ({"height": 0}, "image 1: height, width: expected whole numbers >= 1, got 0, 18"),
    ],
)
def test_images_that_cannot_be_used_are_named(given_coco, change, message):
    document = json.loads(given_coco.read_text())
    document["images"][1] |= change
    given_coco.write_text(json.dumps(document))
    with pytest.raises(LabelError, match=message):
        GivenMasks(given_coco).masks("x/b")
