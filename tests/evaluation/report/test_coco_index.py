import json

import numpy as np
import pytest

from noisyseg.evaluation.report.coco_index import CocoIndex, read_annotations
from noisyseg.labels import LabelError


def test_it_knows_ids_and_parses_on_demand(mistakes):
    index = CocoIndex(mistakes[0])
    document = json.loads(mistakes[0].read_text())
    assert len(index) == 8
    assert index.ids.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert index.image_ids.tolist() == [1] * 5 + [2] * 3
    assert index.categories.names == ("cat", "dog")
    assert index.annotations([6, 1]) == [document["annotations"][6], document["annotations"][1]]
    assert read_annotations(index.path, index.spans[[2]]) == [document["annotations"][2]]
    assert index.with_masks


def test_places_follow_the_file_and_images_without_annotations_have_none(write, annotation, image):
    file = write(
        "a.json",
        [annotation(5, (1, 1, 2, 2), image=2), annotation(4, (1, 1, 2, 2)), annotation(3, (1, 1, 2, 2), image=2)],
        images=[image(2), image(9), image(1)],
    )
    places = CocoIndex(file).places_by_image()
    assert {id_: value.tolist() for id_, value in places.items()} == {2: [0, 2], 9: [], 1: [1]}


def test_a_file_of_boxes_has_no_masks(write):
    boxes = [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 1, 2, 2]}]
    assert not CocoIndex(write("boxes.json", boxes)).with_masks


def test_real_files_read_as_a_parser_reads_them(coco_tiny_dir):
    path = coco_tiny_dir / "annotations" / "instances_val2017.json"
    index, document = CocoIndex(path), json.loads(path.read_text())
    assert index.annotations(np.arange(len(index))) == document["annotations"]
    assert list(index.images.values()) == document["images"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("[]", "expected a JSON object, got list"),
        ('{"images": [], "annotations": [', "not JSON"),
        ('{"images": [], "categories": []}', "expected a list under 'annotations'"),
        ('{"images": [], "categories": [], "annotations": [{"id": 1, "image_id": 4}]}', "image_id: expected an image"),
        ('{"images": [], "categories": [], "annotations": [{"id": "x"}]}', "expected a whole number"),
        (
            '{"images": [{"id": 1}], "categories": [], "annotations": ['
            '{"id": 1, "image_id": 1}, {"id": 1, "image_id": 1}]}',
            "expected unique ids, got this one twice",
        ),
        (
            '{"images": [], "categories": [], "annotations": [], "annotations": []}',
            "expected one list of objects with plain whole numbers",
        ),
    ],
)
def test_unusable_files_are_named_with_the_reason(tmp_path, text, message):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(LabelError, match=message) as error:
        CocoIndex(path)
    assert str(path) in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(LabelError, match=r"nothing\.json: cannot be read"):
        CocoIndex(tmp_path / "nothing.json")


def test_a_broken_annotation_is_found_when_it_is_parsed(tmp_path):
    path = tmp_path / "bad.json"
    path.write_text('{"images": [{"id": 1}], "categories": [], "annotations": [{"id": 1, "image_id": 1, "x": tru}]}')
    with pytest.raises(LabelError, match=r"bad.json: not JSON"):
        CocoIndex(path).annotations([0])
