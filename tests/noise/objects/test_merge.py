import numpy as np
import pytest
from scipy import ndimage, stats

from noisyseg.labels import Categories, Instances, Mask
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import Recipe
from noisyseg.noise.objects import Merge

SIZE_HW = (20, 60)


def block(left, width=4, top=5):
    frame = np.zeros(SIZE_HW, np.uint8)
    frame[top : top + 4, left : left + width] = 1
    return Mask.from_frame(frame)


def row(*lefts, classes=None, crowd=None):
    """Returns blocks of 4 x 4 pixels beside each other."""
    masks = [block(left) for left in lefts]
    labels = Instances.from_masks(masks, classes or [0] * len(lefts), Categories.from_names("ab"), SIZE_HW)
    return labels if crowd is None else labels.replace(crowd=np.array(crowd))


def test_two_that_touch_become_one():
    labels = row(3, 7)
    noisy, params = Recipe([Merge(1.0)]).run(labels, keyed_rng(0))
    assert noisy.source.tolist() == [1]
    np.testing.assert_array_equal(noisy.masks[0].frame(), labels.masks[0].frame() | labels.masks[1].frame())
    assert noisy.boxes.tolist() == [[3, 5, 11, 9]]
    assert params["steps"][0]["merged"] == [["1", "2"]]


def test_boxes_become_the_box_around_both():
    noisy = Merge(1.0)(row(3, 7).replace(masks=None), keyed_rng(0))
    assert noisy.masks is None
    assert noisy.boxes.tolist() == [[3, 5, 11, 9]]


@pytest.mark.parametrize("masks", [True, False])
@pytest.mark.parametrize("distance", [0, 1, 2, 5])
def test_the_gap_counts_empty_pixels(distance, masks):
    labels = row(3, 7 + distance)
    labels = labels if masks else labels.replace(masks=None)
    for gap in range(7):
        assert len(Merge(1.0, gap)(labels, keyed_rng(0))) == (1 if gap >= distance else 2)


def test_masks_may_be_far_apart_although_boxes_are_near():
    corner = np.zeros(SIZE_HW, np.uint8)
    corner[0, :20] = corner[:20, 0] = 1
    labels = Instances.from_masks(
        [Mask.from_frame(corner), block(14, top=12)], [0, 0], Categories.from_names("a"), SIZE_HW
    )
    apart = ndimage.distance_transform_cdt(1 - corner, "chessboard")[labels.masks[1].frame() == 1].min() - 1
    assert len(Merge(1.0, int(apart) - 1)(labels, keyed_rng(0))) == 2
    assert len(Merge(1.0, int(apart))(labels, keyed_rng(0))) == 1
    assert len(Merge(1.0)(labels.replace(masks=None), keyed_rng(0))) == 1


def test_only_the_same_class_and_no_crowds():
    assert len(Merge(1.0)(row(3, 7, classes=[0, 1]), keyed_rng(0))) == 2
    assert len(Merge(1.0)(row(3, 7, crowd=[False, True]), keyed_rng(0))) == 2


def test_the_nearest_is_taken_and_nobody_twice():
    for seed in range(20):
        _, params = Merge(1.0, gap=20).run(row(0, 6, 30, 35), keyed_rng(seed))
        assert sorted(params["merged"]) == [["1", "2"], ["3", "4"]]
    noisy = Merge(1.0)(row(*range(0, 52, 4)), keyed_rng(0))
    assert sum(mask.area for mask in noisy.masks) == 13 * 16
    assert {mask.area for mask in noisy.masks} == {16, 32}


def test_the_union_of_all_stays(labels):
    for seed in range(5):
        noisy = Merge(1.0, 3)(labels, keyed_rng(seed))
        assert len(noisy) < len(labels)
        for class_ in range(3):
            before, after = (
                [mask.frame() for mask, k in zip(one.masks, one.classes, strict=True) if k == class_]
                for one in (labels, noisy)
            )
            np.testing.assert_array_equal(np.any(before, axis=0), np.any(after, axis=0))


def test_a_pair_merges_when_either_looks_for_a_neighbour():
    merged = sum(len(Merge(0.3)(row(3, 7), keyed_rng(seed))) == 1 for seed in range(2000))
    assert stats.binomtest(merged, 2000, 1 - 0.7**2).pvalue > 0.001


def test_a_clean_annotation_stays_rather_than_an_invented_one():
    labels = row(3, 7).replace(source=np.array([-1, 8]))
    assert Merge(1.0)(labels, keyed_rng(0)).source.tolist() == [8]


def test_both_have_it_in_their_history():
    _, params = Merge(1.0).run(row(3, 7), keyed_rng(0))
    entry = {"op": "Merge", "params": {"rate": 1.0, "gap": 0}}
    assert Merge(1.0).history(params) == {
        1: [entry | {"draws": {"with": "2"}}],
        2: [entry | {"draws": {"with": "1"}}],
    }


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [((-0.1,), r"^rate: expected a share in \[0, 1\], got -0\.1"), ((1.0, -1), "^gap: expected pixels >= 0, got -1")],
)
def test_arguments_that_cannot_be_used_are_errors(arguments, problem):
    with pytest.raises(ValueError, match=problem):
        Merge(*arguments)
