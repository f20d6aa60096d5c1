import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisyseg.labels.kernels import json_text as scanning

TEXT = st.text(st.sampled_from('ab"\\{}[]:,é \n'), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT | st.just("id"), inner, max_size=3),
    max_leaves=6,
)
ANNOTATIONS = st.lists(
    st.tuples(st.integers(0, 10**17), st.integers(-(10**17), 10**17), st.dictionaries(TEXT, VALUES, max_size=3)),
    max_size=5,
)


def scanned(text):
    return scanning.scan_annotations(np.frombuffer(text.encode(), np.uint8))


@given(ANNOTATIONS, st.dictionaries(TEXT, VALUES, max_size=2), st.sampled_from([None, 1]))
def test_every_annotation_is_found_where_a_parser_finds_it(given_, rest, indent):
    annotations = [{**extra, "id": id_, "image_id": image_id} for id_, image_id, extra in given_]
    text = json.dumps(rest | {"annotations": annotations, "other": [{"id": 5}]}, indent=indent)
    first, last, rows = scanned(text)
    data = text.encode()
    assert json.loads(data[first:last]) == annotations
    assert [json.loads(data[start:stop]) for start, stop in rows[:, :2].tolist()] == annotations
    assert rows[:, scanning.OWN_ID].tolist() == [id_ for id_, _, _ in given_]
    assert rows[:, scanning.OWN_IMAGE].tolist() == [image_id for _, image_id, _ in given_]


def test_masks_are_noticed_only_at_the_top_of_an_annotation():
    text = '{"annotations": [{"id": 1, "segmentation": []}, {"id": 2, "noise": {"segmentation": 1, "id": 9}}]}'
    rows = scanned(text)[2]
    assert rows[:, scanning.HAS_MASK].tolist() == [1, 0]
    assert rows[:, scanning.OWN_ID].tolist() == [1, 2]


@pytest.mark.parametrize("id_", ["1.0", '"1"', "1e3", "null", "-", "1234567890123456789"])
def test_an_id_that_is_no_plain_number_is_none(id_):
    rows = scanned(f'{{"annotations": [{{"id": {id_}, "image_id": -7}}]}}')[2]
    assert rows[0, scanning.OWN_ID] == scanning.MISSING
    assert rows[0, scanning.OWN_IMAGE] == -7


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"annotations": {}}',
        '{"annotations": [1]}',
        '{"annotations": [{"id": 1}',
        '{"annotations": [{"id": 1},]}',
        '{"annotations": [{"id": 1} {"id": 2}]}',
        '{"annotations": [], "annotations": []}',
        '{"annotations": ["cut off]}',
        '{"info": {"annotations": []}}',
        '{"annotations": [{"a": "x',
    ],
)
def test_what_is_not_understood_is_left_to_a_parser(text):
    assert scanned(text)[0] == -1
