"""Matching against pycocotools, counts against sets of pixels, and what a correction of masks may and may not do."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from noisyseg.correction import ClassHistory, InstancePolicy
from noisyseg.correction.instances import PredictedInstances, instance_counts, match_instances, relabel_instances
from noisyseg.labels import Categories, Instances, Mask

SIZE = (12, 16)
K = 3


def rectangle(y0, x0, y1, x1):
    frame = np.zeros(SIZE, bool)
    frame[y0:y1, x0:x1] = True
    return frame


def labelled(*frames, classes=None, crowd=None, ids=None):
    n = len(frames)
    masks = [Mask.from_frame(frame) for frame in frames]
    categories = Categories.from_names(["a", "b", "c"])
    labels = Instances.from_masks(masks, classes or [0] * n, categories, SIZE, source=ids)
    return labels.replace(crowd=np.array(crowd or [False] * n, bool))


def seen(*frames, classes=None, scores=None):
    n = len(frames)
    return PredictedInstances.of(classes or [0] * n, scores or [0.9] * n, np.array(frames, bool).reshape(n, *SIZE))


DUE = np.array([True, False, False])
LEFT, RIGHT = rectangle(2, 1, 8, 6), rectangle(2, 9, 8, 15)
WIDER = rectangle(2, 1, 8, 7)
HIGHER = rectangle(1, 1, 8, 6)


class TestMatching:
    def test_each_prediction_goes_to_the_object_it_covers_best(self):
        np.testing.assert_array_equal(match_instances(labelled(LEFT, RIGHT), seen(RIGHT, WIDER)), [1, 0])

    def test_classes_are_matched_apart(self):
        assert match_instances(labelled(LEFT), seen(LEFT, classes=[1])).tolist() == [-1]
        found = match_instances(labelled(LEFT, LEFT, classes=[2, 1]), seen(LEFT, LEFT, classes=[1, 2]))
        assert found.tolist() == [1, 0]

    def test_a_higher_score_goes_first_even_where_another_fits_better(self):
        predicted = seen(LEFT, WIDER, scores=[0.3, 0.8])
        assert match_instances(labelled(LEFT), predicted).tolist() == [1]
        assert match_instances(labelled(LEFT, WIDER), predicted).tolist() == [0, 1]

    def test_of_equal_scores_the_first_goes_first(self):
        assert match_instances(labelled(LEFT), seen(WIDER, HIGHER)).tolist() == [0]

    def test_of_equal_objects_the_last_is_taken(self):
        assert match_instances(labelled(LEFT, LEFT), seen(LEFT)).tolist() == [-1, 0]

    def test_the_least_overlap_is_enough(self):
        half = rectangle(2, 1, 5, 6)
        assert match_instances(labelled(LEFT), seen(half), 0.5).tolist() == [0]
        assert match_instances(labelled(LEFT), seen(half), 0.51).tolist() == [-1]

    def test_crowds_are_nobodys(self):
        assert match_instances(labelled(LEFT, crowd=[True]), seen(LEFT)).tolist() == [-1]

    def test_nothing_given_or_nothing_seen(self):
        assert match_instances(labelled(), seen(LEFT)).shape == (0,)
        assert match_instances(labelled(LEFT), seen()).tolist() == [-1]


def objects(least=0):
    sides = st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(1, 3), st.integers(1, 4))
    frames = sides.map(lambda s: rectangle(2 * s[0], 2 * s[1], 2 * s[0] + 2 * s[2], 2 * s[1] + 2 * s[3]))
    one = st.tuples(frames, st.integers(0, K - 1), st.sampled_from([0.1, 0.5, 0.85, 0.9, 1.0]), st.booleans())
    return st.lists(one, min_size=least, max_size=6)


def pair(given_objects, predicted_objects):
    labels = labelled(
        *(one[0] for one in given_objects),
        classes=[one[1] for one in given_objects],
        crowd=[one[3] and one[2] == 0.1 for one in given_objects],
    )
    predicted = seen(
        *(one[0] for one in predicted_objects),
        classes=[one[1] for one in predicted_objects],
        scores=[one[2] for one in predicted_objects],
    )
    return labels, predicted


def matched_by_coco(labels, predicted, match_iou):
    """The same by the code that scores detectors."""

    def entry(id_, c, mask, **more):
        return (
            dict(
                id=id_, image_id=1, category_id=c, segmentation=mask.rle, area=mask.area, bbox=list(mask.box), iscrowd=0
            )
            | more
        )

    truth, found = COCO(), COCO()
    head = dict(images=[dict(id=1, height=SIZE[0], width=SIZE[1])], categories=[dict(id=c) for c in range(K)])
    truth.dataset = head | dict(
        annotations=[
            entry(i + 1, int(c), mask, iscrowd=int(crowd))
            for i, (c, mask, crowd) in enumerate(zip(labels.classes, labels.masks, labels.crowd, strict=True))
        ]
    )
    found.dataset = head | dict(
        annotations=[
            entry(j + 1, int(c), mask, score=float(score))
            for j, (c, mask, score) in enumerate(zip(predicted.classes, predicted.masks, predicted.scores, strict=True))
        ]
    )
    result = np.full(len(labels), -1)
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        found.createIndex()
        scorer = COCOeval(truth, found, "segm")
        scorer.params.iouThrs = np.array([match_iou])
        scorer.params.areaRng, scorer.params.maxDets = [[0, 1e5]], [100]
        scorer.evaluate()
    for image in scorer.evalImgs:
        if image is not None:
            pairs = zip(image["gtIds"], image["gtMatches"][0], image["gtIgnore"], strict=True)
            for i, j, ignored in pairs:
                if j and not ignored:
                    result[i - 1] = j - 1
    return result


@settings(max_examples=80)
@given(objects(least=1), objects(least=1), st.sampled_from([0.25, 0.5, 0.75]))
def test_matching_is_that_of_coco(given_objects, predicted_objects, match_iou):
    labels, predicted = pair(given_objects, predicted_objects)
    expected = matched_by_coco(labels, predicted, match_iou)
    np.testing.assert_array_equal(match_instances(labels, predicted, match_iou), expected)


class TestCounts:
    def test_one_pair(self):
        counts = instance_counts(labelled(LEFT, classes=[1]), seen(WIDER, classes=[1]))
        expected = np.zeros((K + 1, K + 1), int)
        expected[1, 1], expected[K, 1] = 30, 6
        np.testing.assert_array_equal(counts, expected)

    def test_a_given_object_that_nobody_sees_is_labelled_and_a_prediction_without_one_is_nothing(self):
        counts = instance_counts(labelled(LEFT), seen(RIGHT))
        assert counts[0, K] == counts.sum() == 30

    @settings(max_examples=50)
    @given(objects(), objects())
    def test_sums_are_areas_and_the_history_takes_them(self, given_objects, predicted_objects):
        labels, predicted = pair(given_objects, predicted_objects)
        counts = instance_counts(labels, predicted)
        matched = match_instances(labels, predicted)
        frames = [mask.frame() for mask in labels.masks], [mask.frame() for mask in predicted.masks]
        history = ClassHistory(K)
        history.append(0.5, counts)
        for c in range(K):
            own = [i for i in range(len(labels)) if labels.classes[i] == c and not labels.crowd[i]]
            pairs = [(i, matched[i]) for i in own if matched[i] >= 0]
            hits = sum(int((frames[0][i] & frames[1][j]).sum()) for i, j in pairs)
            areas = sum(int(frames[0][i].sum()) for i in own)
            theirs = sum(int(frames[1][j].sum()) for _, j in pairs)
            assert (counts[c, c], counts[c].sum(), counts[:, c].sum()) == (hits, areas, theirs)
            assert history.labelled()[0, c] == areas
            if areas:
                assert history.iou()[0, c] == hits / (areas + theirs - hits)
            else:
                assert np.isnan(history.iou()[0, c])


class TestRelabelling:
    def test_a_confident_prediction_gives_its_mask_and_a_box_around_it(self):
        labels = labelled(LEFT, RIGHT, ids=[7, 3])
        new = relabel_instances(labels, seen(WIDER), DUE)
        np.testing.assert_array_equal(new.masks[0].frame(), WIDER)
        assert new.boxes[0].tolist() == [1, 2, 7, 8]
        assert new.masks[1] is labels.masks[1]
        assert new.source.tolist() == [7, 3]
        assert labels.boxes[0].tolist() == [1, 2, 6, 8]

    def test_the_score_must_be_above_tau(self):
        for score, changes in ((0.8, False), (0.81, True)):
            new = relabel_instances(labelled(LEFT), seen(WIDER, scores=[score]), DUE, tau=0.8)
            assert (new.masks[0].area == 36) == changes

    def test_classes_that_are_not_due_stay_and_so_do_crowds(self):
        labels = labelled(LEFT, LEFT, classes=[1, 0], crowd=[False, True])
        new = relabel_instances(labels, seen(WIDER, WIDER, classes=[1, 0]), DUE)
        assert new.masks == labels.masks

    def test_an_equal_mask_is_no_change_so_that_a_loose_box_stays(self):
        labels = labelled(LEFT)
        labels = labels.replace(boxes=labels.boxes + 0.25)
        new = relabel_instances(labels, seen(LEFT), DUE)
        assert new.masks[0] is labels.masks[0]
        np.testing.assert_array_equal(new.boxes, labels.boxes)

    def test_unsure_pixels_stay_as_they_are(self):
        probs = np.zeros((1, *SIZE), np.uint8)
        probs[0, 2:8, 1:7] = 204  # 0.8
        probs[0, 2:8, 1:3] = 255
        probs[0, 2:4, 1] = 100
        probs[0, 0, 0] = 255
        predicted = PredictedInstances.of([0], [0.9], probs)
        new = relabel_instances(labelled(LEFT), predicted, DUE, pixel_tau=0.9).masks[0].frame()
        expected = LEFT.copy()  # 100 / 255 is not sure enough to be outside, nor 0.8 to be inside
        expected[0, 0] = True
        np.testing.assert_array_equal(new, expected)
        half = relabel_instances(labelled(LEFT), predicted, DUE, pixel_tau=0.5).masks[0]
        np.testing.assert_array_equal(half.frame(), predicted.masks[0].frame())

    def test_nothing_seen(self):
        labels = labelled(LEFT)
        assert relabel_instances(labels, seen(), DUE, pixel_tau=0.9).masks == labels.masks
        assert len(relabel_instances(labelled(), seen(LEFT), DUE)) == 0

    @settings(max_examples=60)
    @given(objects(), objects(), st.lists(st.booleans(), min_size=K, max_size=K), st.sampled_from([0.0, 0.5, 0.85]))
    def test_what_must_hold(self, given_objects, predicted_objects, due, tau):
        labels, predicted = pair(given_objects, predicted_objects)
        due = np.array(due)
        new = relabel_instances(labels, predicted, due, tau)
        for name in ("classes", "source", "crowd"):
            np.testing.assert_array_equal(getattr(new, name), getattr(labels, name))
        changed = np.array([mask.rle != old.rle for mask, old in zip(new.masks, labels.masks, strict=True)], bool)
        assert not changed[labels.crowd | ~due[labels.classes]].any()
        assert all(mask.area for mask in new.masks)
        for i in np.flatnonzero(changed):
            assert new.boxes[i].tolist() == list(new.masks[i].box)
            assert labels.masks[i].iou(new.masks[i]) >= 0.5
        # A prediction that is not sure enough is in nobody's way.
        matched = match_instances(labels, predicted)
        sure = (matched >= 0) & due[labels.classes]
        sure[sure] = predicted.scores[matched[sure]] > tau
        np.testing.assert_array_equal(
            changed,
            [
                ok and predicted.masks[j].rle != labels.masks[i].rle
                for i, (j, ok) in enumerate(zip(matched, sure, strict=True))
            ],
        )
        assert relabel_instances(labels, predicted, due, 1.0).masks == labels.masks


class TestErrors:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            (dict(tau=1.5), r"tau: expected a number in \[0, 1\], got 1\.5"),
            (dict(pixel_tau=0.4), r"pixel_tau: expected a number in \[0\.5, 1\], got 0\.4"),
            (dict(match_iou=0), "match_iou: expected a number above 0 and at most 1, got 0"),
        ],
    )
    def test_settings(self, settings, message):
        with pytest.raises(ValueError, match=message):
            InstancePolicy(**settings)
        with pytest.raises(ValueError, match=message):
            relabel_instances(labelled(LEFT), seen(LEFT), DUE, **settings)

    def test_predictions(self):
        with pytest.raises(ValueError, match=r"scores of predicted objects: expected numbers in \[0, 1\]"):
            seen(LEFT, scores=[np.nan])
        with pytest.raises(ValueError, match=r"as many classes, scores and masks, got \[2, 1, 1\]"):
            seen(LEFT, classes=[0, 1])
        small = PredictedInstances.of([0], [0.9], np.ones((1, 4, 4), bool))
        with pytest.raises(ValueError, match=r"expected the size of the image, \(12, 16\), got \(4, 4\)"):
            match_instances(labelled(LEFT), small)
        with pytest.raises(ValueError, match=r"predicted classes: expected 0\.\.2, got \[5\]"):
            match_instances(labelled(LEFT), seen(LEFT, classes=[5]))
        with pytest.raises(ValueError, match="expected predictions with probabilities of pixels"):
            relabel_instances(labelled(LEFT), seen(LEFT), DUE, pixel_tau=0.9)

    def test_labels(self):
        with pytest.raises(ValueError, match="expected given objects with masks, got boxes alone"):
            match_instances(labelled(LEFT).replace(masks=None), seen(LEFT))
        with pytest.raises(ValueError, match=r"due: expected 3 classes, got \(2,\)"):
            relabel_instances(labelled(LEFT), seen(LEFT), np.ones(2, bool))


class TestPolicy:
    def test_it_decides_as_its_trigger_on_classes_that_are_not_due(self):
        policy = InstancePolicy(trigger=dict(type="noisyseg.FixedTrigger", epochs={0: 1, 2: 3}))
        verdicts = policy.decide(ClassHistory(K), 1, 5, np.array([False, True, False]))
        assert {c: verdict.due for c, verdict in verdicts.items()} == {0: True, 2: False}

    def test_images_without_an_object_that_is_due_are_not_wanted(self):
        policy = InstancePolicy()
        assert policy.wants(np.array([True, False, False, False]), DUE)
        assert not policy.wants(np.array([False, True, True, True]), DUE)

    @pytest.mark.parametrize("reinit", [True, False])
    def test_it_starts_from_the_given_masks_or_from_those_in_force(self, reinit):
        policy = InstancePolicy(reinit=reinit)
        new = policy.relabel(labelled(LEFT, RIGHT), labelled(HIGHER, RIGHT), seen(RIGHT), DUE)
        np.testing.assert_array_equal(new.masks[0].frame(), LEFT if reinit else HIGHER)
