import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisyseg.labels import LabelError
from noisyseg.labels.coco import read_coco
from noisyseg.labels.coco_text import CocoText, read_annotations

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | st.text('ab"\\[]{},: \n', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('a"\\]', max_size=3), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def save(tmp_path):
    def write(text):
        path = tmp_path / "labels.json"
        path.write_bytes(text.encode())
        return path

    return write


def a_document(extra, entries):
    return {
        "before": extra,
        "images": [{"id": 1, "height": 9, "width": 9}, {"id": 2, "height": 9, "width": 9}],
        "annotations": [
            {"id": 10 + k, "image_id": 1 + k % 2, "category_id": 3, "bbox": [0, 0, 1, 1], "x": entry}
            for k, entry in enumerate(entries)
        ],
        "categories": [{"id": 3, "name": "a"}],
        "after": extra,
    }


@given(VALUES, st.lists(VALUES, max_size=5), st.sampled_from([None, 0, 3]), st.booleans())
def test_annotations_are_those_that_a_parser_finds(tmp_path_factory, extra, entries, indent, sort):
    document = a_document(extra, entries)
    path = tmp_path_factory.mktemp("coco") / "labels.json"
    path.write_text(json.dumps(document, indent=indent, sort_keys=sort, ensure_ascii=indent is None))
    text, parsed = CocoText(path), read_coco(path)
    places = range(len(entries))
    annotations = parsed.document["annotations"]
    assert text.annotations_at(places) == orjson.loads(text.text_at(places)) == annotations
    assert text.annotations_at(list(places)[::-2]) == annotations[::-2]
    assert read_annotations(path, text.spans) == annotations
    assert read_annotations(path, text.spans[::-2]) == annotations[::-2]
    assert text.document == parsed.document | {"annotations": []}
    assert list(text.document) == list(parsed.document)
    assert text.ids.tolist() == [annotation["id"] for annotation in parsed.document["annotations"]]
    assert {image_id: places.tolist() for image_id, places in text.positions.items()} == parsed.positions
    for image_id in parsed.images:
        assert text.annotations_of(image_id) == parsed.annotations_of(image_id)
    assert text.with_masks == (not entries)


def test_labels_are_the_same(coco_tiny_dir):
    path = coco_tiny_dir / "annotations" / "instances_val2017.json"
    text, parsed = CocoText(path), read_coco(path)
    assert text.with_masks
    assert len(text) == len(parsed.document["annotations"]) > 800
    for image_id in list(parsed.images)[:10]:
        one, other = text.instances(image_id), parsed.instances(image_id)
        assert one.source.tolist() == other.source.tolist()
        assert [mask.rle for mask in one.masks] == [mask.rle for mask in other.masks]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"annotations"', '"\\u0061nnotations"'),
        ('"images"', '"annotations": [7], "images"'),
        ('"id": 11', '"id": 3, "\\u0069d": 11'),
        ('"id": 11', '"id": 1234567890123456789'),
    ],
)
def test_what_only_a_parser_understands_is_an_error(save, old, new):
    path = save(json.dumps(a_document(None, [1, 2])).replace(old, new, 1))
    assert len(read_coco(path).document["annotations"]) == 2
    with pytest.raises(LabelError, match="expected one list of objects with plain whole numbers"):
        CocoText(path)


def test_keys_inside_of_other_values_do_not_count(save):
    text = json.dumps(a_document(None, [1, 2]))
    nested = text.replace('"x": 1', '"x": {"id": 5, "image_id": [6]}, "y": "id", "z": ["id"]')
    assert CocoText(save(nested)).ids.tolist() == [10, 11]


BROKEN = [
    ("{", "not JSON"),
    ("[1]", "expected a JSON object, got list"),
    ('"annotations"', "expected a JSON object, got str"),
    ("{}", "expected a list under 'images'"),
    ('{"images": [], "categories": []}', "expected a list under 'annotations', got NoneType"),
    ('{"images": [], "categories": [], "annotations": {}}', "expected a list under 'annotations', got dict"),
    ('{"images": [], "categories": [], "annotations": [,]}', "not JSON"),
    ('{"images": [], "categories": [], "annotations": [{},]}', "not JSON"),
    ('{"images": [], "categories": [], "annotations": [{} {}]}', "not JSON"),
    ('{"images": [], "categories": [], "annotations": [{]}', "not JSON"),
    ('{"images": [], "categories": [], "annotations": [{}]', "not JSON"),
    ('{"images": [], "categories": [], "annotations": [7]}', r"annotations\[0\]: expected a whole number"),
    ('{"images": [], "categories": [], "annotations": [], "images": [{"id": 1}, {"id": 1}]}', "expected unique ids"),
    ('{"images": [{"id": 1}], "categories": [], "annotations": [' + 2 * '{"id": 1, "image_id": 1},' + "]}", "not JSON"),
    (
        '{"images": [{"id": 1}], "categories": [], "annotations": '
        '[{"id": 1, "image_id": 1}, {"id": 1, "image_id": 1}]}',
        "annotation 1: expected unique ids, got this one twice",
    ),
    ("", "not JSON"),
    ('{"images": [], "categories": [], "annotations": [{"id": 1}]}', "annotation 1: image_id: expected an image of"),
    ('{"images": [], "categories": [], "annotations": [{"id": 01}]}', "not JSON"),
    ('{"images": [{"id": 1}], "categories": [], "annotations": [{"id": -3, "image_id": 1}]}', "expected an id >= 0"),
    ('{"images": [{"id": 1}], "categories": [], "annotations": [{"id": 3.0, "image_id": 1}]}', "whole number"),
    ('{"images": [{"id": 1}], "categories": [], "annotations": [{"id": "3", "image_id": 1}]}', "whole number"),
]


@pytest.mark.parametrize(("text", "problem"), BROKEN)
def test_a_broken_file_is_an_error_that_names_it(save, text, problem):
    path = save(text)
    for read in (read_coco, CocoText):
        with pytest.raises(LabelError, match=problem) as caught:
            read(path)
        assert str(path) in str(caught.value)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(LabelError, match=r"none\.json: cannot be read"):
        CocoText(tmp_path / "none.json")


def test_a_broken_annotation_is_found_when_it_is_parsed(save):
    path = save('{"images": [{"id": 1}], "categories": [], "annotations": [{"id": 1, "image_id": 1, "x": tru}]}')
    with pytest.raises(LabelError, match=r"labels\.json: not JSON"):
        CocoText(path).annotations_at([0])


def test_places_follow_the_file_and_images_without_annotations_have_none(save):
    document = a_document(None, [1, 2, 3])
    document["images"] = [{"id": image_id, "height": 9, "width": 9} for image_id in (2, 9, 1)]
    places = CocoText(save(json.dumps(document))).positions
    assert {id_: value.tolist() for id_, value in places.items()} == {2: [1], 9: [], 1: [0, 2]}


def test_annotations_far_apart_are_read_one_by_one(save):
    document = a_document(None, ["x" * 10, "y" * 1000, "z" * 10])
    path = save(json.dumps(document))
    ends = CocoText(path).spans[[2, 0]]
    assert read_annotations(path, ends) == [document["annotations"][2], document["annotations"][0]]
    with pytest.raises(LabelError, match=r"none\.json: cannot be read"):
        read_annotations(path.with_name("none.json"), ends)
