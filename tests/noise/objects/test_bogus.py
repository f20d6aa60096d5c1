from collections import Counter
from functools import partial

import numpy as np
import pytest
from scipy import stats

from noisyseg.labels import Categories, Instances, Mask
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import Chain, Recipe
from noisyseg.noise.kernels.objects import box_ious
from noisyseg.noise.objects import Bogus, Missing

COPY = {"share_of": "clean", "size": "copy", "spread": "bernoulli"}


def added(noisy):
    """Returns boxes and classes of all new objects, and their number by image."""
    boxes = [labels.boxes[labels.source < 0] for labels, _ in noisy.values()]
    classes = [labels.classes[labels.source < 0] for labels, _ in noisy.values()]
    return np.concatenate(boxes), np.concatenate(classes), {key: len(b) for key, b in zip(noisy, boxes, strict=True)}


@pytest.fixture
def total(images):
    return sum((~labels.crowd).sum() for labels in images.values())


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.1, 0.4, 0.8])
@pytest.mark.parametrize("spread", ["round_robin", "proportional"])
def test_the_share_of_all_is_the_one_asked_for(images, run_over, total, rate, spread):
    _, _, counts = added(run_over(Bogus(rate, spread=spread, max_iou=None), images))
    count = sum(counts.values())
    assert count == int(total * rate / (1 - rate) + 0.5)
    assert count / (total + count) == pytest.approx(rate, abs=0.5 / total)


def test_the_share_of_the_clean_ones(images, run_over, total):
    _, _, counts = added(run_over(Bogus(0.4, share_of="clean", max_iou=None), images))
    assert sum(counts.values()) == int(total * 0.4 + 0.5)


def test_round_robin_gives_every_image_the_same(images, run_over):
    _, _, counts = added(run_over(Bogus(0.4, max_iou=None), images))
    assert max(counts.values()) - min(counts.values()) == 1
    empty = [key for key, labels in images.items() if not len(labels)]
    assert len(empty) > 3
    assert min(counts[key] for key in empty) > 0


def test_who_gets_one_more_is_drawn(images, run_over):
    takes = [added(run_over(Bogus(0.05, max_iou=None), images, seed))[2] for seed in (0, 1)]
    assert takes[0] != takes[1]
    # And not the first images of the file, as in the authors' code.
    assert takes[0] != dict(zip(images, sorted(takes[0].values(), reverse=True), strict=True))


def test_proportional_gives_more_where_more_is(images, run_over):
    _, _, counts = added(run_over(Bogus(0.75, spread="proportional", max_iou=None), images))
    assert all(counts[key] == 3 * (~labels.crowd).sum() for key, labels in images.items())


def test_bernoulli_is_binomial(images, run_over, total):
    count = sum(sum(added(run_over(Bogus(0.2, **COPY, max_iou=None), images, seed))[2].values()) for seed in range(10))
    assert stats.binomtest(int(count), int(10 * total), 0.2).pvalue > 0.001


@pytest.mark.parametrize("size", ["uniform", "log_normal"])
@pytest.mark.parametrize("max_iou", [0.05, 0.2, 0.5])
def test_boxes_lie_inside_and_free_of_others(images, run_over, size, max_iou):
    noisy = run_over(Bogus(0.5, size=size, max_iou=max_iou), images)
    boxes, _, _ = added(noisy)
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= (80, 60)).all()
    assert (boxes[:, 2:] - boxes[:, :2] >= 1).all()
    for key, (labels, _) in noisy.items():
        for box in labels.boxes[labels.source < 0]:
            assert box_ious(box, images[key].boxes).max(initial=0) < max_iou


def test_what_finds_no_place_is_given_up_and_counted(labels, run_over):
    whole = labels.take(np.array([4])).replace(masks=None)  # an object that fills the image
    noisy, params = run_over(Bogus(0.9, max_iou=0.01, max_tries=3), {1: whole})[1]
    assert params["given_up"] + len(params["added"]) == 9
    assert params["given_up"] > 5
    assert len(noisy) == 1 + len(params["added"])


def test_more_tries_give_up_less(images, run_over):
    given_up = [
        sum(params["given_up"] for _, params in run_over(Bogus(0.5, max_iou=0.02, max_tries=tries), images).values())
        for tries in (1, 3, 50)
    ]
    assert given_up[0] > given_up[1] > given_up[2]


def test_classes_and_uniform_corners(images, run_over):
    boxes, classes, _ = added(run_over(Bogus(0.9, max_iou=None), images))
    assert stats.chisquare(np.bincount(classes, minlength=5)).pvalue > 0.001
    # The smaller of two uniform numbers has the distribution 1 - (1 - x)^2; what is thinner than a pixel is left out.
    for corner, side in ((boxes[:, 0], 80), (boxes[:, 1], 60)):
        x = corner / side
        assert stats.kstest(x, lambda x: 1 - (1 - x) ** 2).statistic < 0.03
    assert np.mean(boxes[:, 2] - boxes[:, 0]) == pytest.approx(80 / 3, rel=0.05)


def test_log_normal_areas_are_those_of_the_data_set(images, run_over, population_of):
    boxes, _, _ = added(run_over(Bogus(0.8, size="log_normal", max_iou=None, max_tries=99), images))
    population = population_of(images)
    clean = np.log(population.areas[~population.crowd])
    logs = np.log((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
    assert logs.mean() == pytest.approx(clean.mean(), abs=0.15)
    assert logs.std() == pytest.approx(clean.std(), abs=0.15)


def test_copies_have_the_size_of_an_object(images, run_over):
    noisy = run_over(Bogus(1.0, **COPY), images)
    for key, (_, params) in noisy.items():
        clean = {int(source): box for source, box in zip(images[key].source, images[key].boxes, strict=True)}
        for drawn in params["added"]:
            box, copied = np.array(drawn["box"]), clean[drawn["of"]]
            np.testing.assert_array_equal(box[2:] - box[:2], copied[2:] - copied[:2])
            assert (box == np.round(box)).all()
        assert max(Counter(drawn["of"] for drawn in params["added"]).values(), default=1) == 1
        assert len(params["added"]) + params["given_up"] == (~images[key].crowd).sum()


def test_copies_stand_anywhere_they_fit(make_images, run_over):
    one = make_images([1])[1]
    one.boxes[:] = [0, 0, 79, 58.5]
    noisy = run_over(Bogus(1.0, **COPY, max_iou=None), dict.fromkeys(range(1, 400), one))
    boxes, _, _ = added(noisy)
    assert Counter(map(tuple, boxes[:, :2].tolist())).keys() == {(0, 0), (1, 0), (0, 1), (1, 1)}


@pytest.mark.parametrize("mask", ["rect", "ellipse"])
@pytest.mark.parametrize("size", ["uniform", "log_normal"])
def test_masks_fill_their_boxes(labels, run_over, mask, size):
    noisy, params = run_over(Bogus(0.9, mask=mask, size=size, max_iou=None), {1: labels})[1]
    assert len(params["added"]) > 20
    for drawn, mask_, box in zip(params["added"], noisy.masks[9:], noisy.boxes[9:].tolist(), strict=True):
        assert drawn["box"] == box == list(mask_.box)
        area = (box[2] - box[0]) * (box[3] - box[1])
        if mask == "rect":
            assert mask_.area == area
        elif min(box[2] - box[0], box[3] - box[1]) > 20:
            assert mask_.area == pytest.approx(np.pi / 4 * area, rel=0.03)


def test_copied_masks_are_moved(labels, run_over):
    noisy, params = run_over(Bogus(1.0, **COPY, mask="copy", max_iou=None), {1: labels})[1]
    clean = dict(zip(labels.source.tolist(), labels.masks, strict=True))
    assert len(params["added"]) == 8
    for drawn, mask in zip(params["added"], noisy.masks[9:], strict=True):
        x0, y0, x1, y1 = clean[drawn["of"]].box
        moved = np.zeros(labels.size_hw, np.uint8)
        x, y = drawn["box"][:2]
        moved[y : y + y1 - y0, x : x + x1 - x0] = clean[drawn["of"]].frame()[y0:y1, x0:x1]
        np.testing.assert_array_equal(mask.frame(), moved)


def test_sources_go_on_counting_down(images, run_over):
    noisy = run_over(Chain([Bogus(0.3), Bogus(0.3)]), images)
    for labels, _ in noisy.values():
        new = labels.source[labels.source < 0].tolist()
        assert new == [-k for k in range(1, len(new) + 1)]


def test_a_model_before_it_leaves_fewer_to_count(images, run_over, total):
    chain = Chain([Missing(0.5, "global_exact"), Bogus(0.5, max_iou=None)])
    assert sum(added(run_over(chain, images))[2].values()) == total - int(0.5 * total)
    of_all = Chain([Missing(0.5, "global_exact"), Bogus(0.5, max_iou=None, total=int(total))])
    assert sum(added(run_over(of_all, images))[2].values()) == total


def test_a_tiny_image_is_no_problem(run_over):
    dot = Instances.from_masks([Mask.from_frame(np.ones((1, 1)))], [0], Categories.from_names("a"), (1, 1))
    noisy, params = run_over(Bogus(0.5, max_iou=None), {1: dot})[1]
    assert len(noisy) - 1 + params["given_up"] == 1
    noisy, params = run_over(Bogus(1.0, **COPY, max_iou=None, mask="copy"), {1: dot})[1]
    assert noisy.boxes.tolist() == [[0, 0, 1, 1]] * 2


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"rate": 1.0}, r"^rate: expected a share in \[0, 1\), got 1\.0"),
        ({"rate": 1.1, "share_of": "clean"}, r"^rate: expected a share in \[0, 1\], got 1\.1"),
        ({"rate": 0.6, "spread": "bernoulli"}, r"^rate: one object in two at most .* got 0\.6"),
        ({"rate": 0.5, "share_of": "all"}, "^share_of: expected one of noisy, clean, got 'all'"),
        ({"rate": 0.5, "size": "big"}, "^size: expected one of uniform, copy, log_normal, got 'big'"),
        ({"rate": 0.5, "spread": "even"}, "^spread: expected one of round_robin, proportional, bernoulli, got 'even'"),
        ({"rate": 0.5, "mask": "star"}, "^mask: expected one of rect, ellipse, copy, got 'star'"),
        ({"rate": 0.5, "mask": "copy"}, "^mask: 'copy' needs size 'copy', got 'uniform'"),
        ({"rate": 0.5, "size": "copy"}, "^spread: an image without objects has none to copy the size of"),
        ({"rate": 0.5, "max_iou": 0}, r"^max_iou: expected a number in \(0, 1\] or None, got 0"),
        ({"rate": 0.5, "max_tries": 0}, "^max_tries: expected a number >= 1, got 0"),
        ({"rate": 0.5, "total": -1}, "^total: expected a number of objects >= 0"),
        ({"rate": 0.5, "total": 5, "spread": "bernoulli"}, "^total: .* none with 'bernoulli', got 5"),
    ],
)
def test_arguments_that_cannot_be_used_are_errors(arguments, problem):
    with pytest.raises(ValueError, match=problem):
        Bogus(**arguments)


def test_nothing_to_spread_over_is_an_error(images, population_of):
    nothing = population_of(images).take(np.array([], int))
    with pytest.raises(ValueError, match=r"^rate: 7 objects are to be added, but there is nothing to spread"):
        Bogus(0.5, spread="proportional", total=7).planned(nothing, partial(keyed_rng, 0))


def test_objects_without_a_place_are_counted():
    frame = np.ones((12, 12), np.uint8)
    labels = Instances.from_masks([Mask.from_frame(frame)], [0], Categories.from_names("ab"), frame.shape)
    model = Recipe([Bogus(1.0, **COPY, max_iou=0.2, max_tries=3)])
    tallies = [model.tally(model.run(labels, keyed_rng(seed))[1]) for seed in range(5)]
    assert sum(tallies, start=Counter())["Bogus: given up"] > 0
