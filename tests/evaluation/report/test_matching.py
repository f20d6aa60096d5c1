import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from noisyseg.evaluation.report import matching
from noisyseg.labels.coco_text import CocoText

BOXES = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=6
)


def chosen(clean, noisy, *, known=False):
    clean, noisy = CocoText(clean), CocoText(noisy)
    return matching.choose_pairing(clean, noisy, {id_: id_ for id_ in clean.images if id_ in noisy.images}, known=known)


def edited(path, change):
    """Write the file anew, changed, and return its path."""
    document = json.loads(path.read_text())
    change(document["annotations"])
    path.write_text(json.dumps(document))
    return path


def test_ids_that_mean_the_same_are_used(mistakes):
    pairing = chosen(*mistakes)
    assert (pairing.by, pairing.shift) == ("id", 0)
    assert "every common id is in the same image" in pairing.reason


def rotate(annotations):
    """Give four annotations of the first image each other's ids."""
    ids = [a["id"] for a in annotations]
    for a, id_ in zip(annotations, ids[1:4] + ids[:1] + ids[4:], strict=True):
        a["id"] = id_


def test_shuffled_ids_are_found_out_and_the_manifest_is_believed(mistakes):
    files = mistakes[0], edited(mistakes[1], rotate)
    pairing = chosen(*files)
    assert pairing.by == "iou"
    assert "ids do not mean the same" in pairing.reason
    assert chosen(*files, known=True).by == "id"


def test_an_id_in_another_image_is_enough(mistakes):
    pairing = chosen(mistakes[0], edited(mistakes[1], lambda annotations: annotations[0].update(image_id=2)))
    assert pairing.by == "iou"
    assert "1 of the 7 ids in both files are in different images" in pairing.reason


def test_files_without_common_ids_are_paired_by_iou(mistakes):
    pairing = chosen(
        mistakes[0], edited(mistakes[1], lambda annotations: [a.update(id=a["id"] + 50) for a in annotations])
    )
    assert pairing.by == "iou"
    assert "no annotation id in common" in pairing.reason


def test_ids_from_zero_are_shifted(write, annotation):
    boxes = [(2 + 12 * k, 2, 10, 10) for k in range(3)]
    clean = write("clean.json", [annotation(k, box) for k, box in enumerate(boxes)])
    noisy = write("noisy.json", [annotation(k + 1, box) for k, box in enumerate(boxes)])
    pairing = chosen(clean, noisy)
    assert (pairing.by, pairing.shift) == ("id", 1)
    assert "one higher" in pairing.reason
    assert chosen(clean, clean).shift == 0


def test_pairs_by_id_keep_the_order_of_the_clean_file():
    here, there = matching.pairs_by_id(np.array([5, 2, 9]), np.array([9, 7, 5]))
    assert (here.tolist(), there.tolist()) == ([0, 2], [2, 0])


@given(BOXES, BOXES)
def test_overlaps_of_boxes_are_those_of_pycocotools(one, other):
    boxes = [np.array(boxes, np.float64) for boxes in (one, other)]
    corners = [np.concatenate([b[:, :2], b[:, :2] + b[:, 2:]], axis=1) for b in boxes]
    expected = np.nan_to_num(np.asarray(coco_mask.iou(*boxes, [0] * len(other))))
    np.testing.assert_allclose(matching.box_overlaps(*corners), expected, atol=1e-12)


def test_the_best_sum_wins_over_the_first_come():
    table = np.array([[0.6, 0.5], [0.55, 0.0]])
    here, there = matching.best_pairs(table, np.zeros(2, int), np.zeros(2, int))
    assert dict(zip(here.tolist(), there.tolist(), strict=True)) == {0: 1, 1: 0}


def test_small_overlaps_are_no_pair_and_equal_classes_break_ties():
    here, _ = matching.best_pairs(np.array([[0.29]]), np.zeros(1, int), np.zeros(1, int))
    assert not len(here)
    here, there = matching.best_pairs(np.ones((2, 2)), np.array([0, 1]), np.array([1, 0]))
    assert there[here.argsort()].tolist() == [1, 0]


def test_nothing_is_paired_with_nothing(mistakes):
    labels = CocoText(mistakes[0])
    from noisyseg.labels.coco import instances_from_coco

    some = instances_from_coco(labels.images[1], labels.annotations_at([0, 1]), labels.categories)
    none = instances_from_coco(labels.images[1], [], labels.categories)
    assert [len(side) for side in matching.pairs_by_overlap(some, none)] == [0, 0]
    assert [len(side) for side in matching.pairs_by_overlap(none, some)] == [0, 0]


@pytest.mark.parametrize("crowd", [0, 1])
def test_a_crowd_is_no_partner_of_an_object(write, annotation, crowd):
    from noisyseg.labels.coco import read_coco

    clean = read_coco(write("a.json", [annotation(1, (2, 2, 10, 10))])).instances(1)
    noisy = read_coco(write("b.json", [annotation(1, (2, 2, 10, 10), iscrowd=crowd)])).instances(1)
    assert len(matching.pairs_by_overlap(clean, noisy)[0]) == 1 - crowd
