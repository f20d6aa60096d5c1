import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisyseg.labels import Instances, Mask
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import NoiseConfigError, Recipe, build_noise
from noisyseg.noise.boxes import BoxNoise, CenterScaleJitter, CoordinateJitter, GaussianJitter, ResampledBox
from noisyseg.noise.boxes.box_noise import TRIES
from noisyseg.noise.kernels import boxes as kernels

MODELS = [CenterScaleJitter(0.4), CoordinateJitter(0.4), GaussianJitter(0.1), ResampledBox(), CenterScaleJitter(0.9)]
NAMES = ["CenterScaleJitter", "CoordinateJitter", "GaussianJitter", "ResampledBox"]
SETTING = {"CenterScaleJitter": "level", "CoordinateJitter": "level", "GaussianJitter": "gamma"}


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_noisy_boxes_lie_in_the_image_and_are_large_enough(model, everywhere):
    noisy = model(everywhere, keyed_rng(0))
    hit = (noisy.boxes != everywhere.boxes).any(axis=1)
    assert hit.mean() > 0.97
    boxes = noisy.boxes[hit]
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= (640, 480)).all()
    assert (boxes[:, 2:] - boxes[:, :2]).min() >= 1
    np.testing.assert_array_equal(noisy.classes, everywhere.classes)
    np.testing.assert_array_equal(noisy.source, everywhere.source)
    assert noisy.masks is None


@given(
    level=st.floats(0, 0.9),
    corner=st.tuples(st.floats(0, 90), st.floats(0, 90)),
    size=st.tuples(st.floats(1, 200), st.floats(1, 200)),
    seed=st.integers(0, 1000),
)
def test_jitter_keeps_to_its_bounds(level, corner, size, seed, boxes):
    # The image is so large that nothing is cut: the box is moved to its middle.
    clean = np.array([*corner, corner[0] + size[0], corner[1] + size[1]]) + 1000
    (noisy,) = CenterScaleJitter(level)(boxes([clean], (2300, 2300)), keyed_rng(seed)).boxes
    shift = (noisy[:2] + noisy[2:] - clean[:2] - clean[2:]) / 2
    assert (np.abs(shift) <= level * np.array(size) + 1e-6).all()
    ratio = (noisy[2:] - noisy[:2]) / np.array(size)
    assert (ratio >= 1 - level - 1e-6).all()
    assert (ratio <= 1 + level + 1e-6).all()


@pytest.mark.parametrize("model", [CenterScaleJitter(0), CoordinateJitter(0), GaussianJitter(0)], ids=repr)
def test_no_noise_is_the_identity_also_beyond_the_image(model, everywhere):
    noisy, params = model.run(everywhere, keyed_rng(0))
    np.testing.assert_array_equal(noisy.boxes, everywhere.boxes)
    assert params["objects"] == {}


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_the_order_of_the_objects_is_no_matter(model, everywhere):
    order = np.random.default_rng(0).permutation(len(everywhere))[:500]
    np.testing.assert_array_equal(
        model(everywhere.take(order), keyed_rng(3)).boxes, model(everywhere, keyed_rng(3)).boxes[order]
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_lower_share_hits_some_of_the_same_boxes_in_the_same_way(name, everywhere):
    own = {SETTING[name]: 0.2} if name in SETTING else {}
    few, many = (
        build_noise({"type": f"noisyseg.{name}", "prob": prob} | own)(everywhere, keyed_rng(0)).boxes
        for prob in (0.2, 0.6)
    )
    hit = (few != everywhere.boxes).any(axis=1)
    assert 0 < hit.sum() < (many != everywhere.boxes).any(axis=1).sum()
    np.testing.assert_array_equal(few[hit], many[hit])


def test_a_higher_level_moves_the_same_way(far_from_the_border):
    some = far_from_the_border.take(np.arange(200))
    low, high = (CoordinateJitter(level)(some, keyed_rng(0)).boxes - some.boxes for level in (0.1, 0.3))
    np.testing.assert_allclose(3 * low, high, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("iou_range", [(0.5, 0.7), [0.75, 1.0]])
@pytest.mark.parametrize("name", NAMES)
def test_boxes_are_drawn_again_until_their_iou_is_in_the_range(name, iou_range, everywhere):
    own = {SETTING[name]: 0.3} if name in SETTING else {}
    model = build_noise({"type": f"noisyseg.{name}", "iou_range": iou_range} | own)
    inside = everywhere.take(np.arange(400))
    noisy, params = model.run(inside, keyed_rng(0))
    draws = params["objects"]
    missed = np.array([draws.get(str(source), {}).get("iou_missed", False) for source in inside.source])
    hit = (noisy.boxes != inside.boxes).any(axis=1) & ~missed
    iou = kernels.iou(noisy.boxes, inside.boxes)[hit]
    assert iou.size > 50
    assert iou.min() >= iou_range[0]
    assert iou.max() <= iou_range[1]
    assert any(draw.get("tries", 1) > 1 for draw in draws.values())


def test_where_no_box_is_in_the_range_the_nearest_is_taken_and_said(boxes):
    labels = boxes(np.tile([100.0, 100, 200, 200], (50, 1)), (400, 400))
    model = CenterScaleJitter(0.3, iou_range=(0.999, 1.0))
    noisy, params = model.run(labels, keyed_rng(0))
    assert all(draws["iou_missed"] and draws["tries"] == TRIES for draws in params["objects"].values())
    assert len(params["objects"]) == 50
    # The best of 50 draws is far better than one draw.
    once = CenterScaleJitter(0.3)(labels, keyed_rng(0))
    best = kernels.iou(noisy.boxes, labels.boxes)
    assert (best >= kernels.iou(once.boxes, labels.boxes)).all()
    assert best.mean() > 0.75


@pytest.mark.parametrize("decimals", [0, 2])
def test_rounding(decimals, everywhere):
    model = CenterScaleJitter(0.3, decimals=decimals)
    noisy = model(everywhere, keyed_rng(0)).boxes
    hit = (noisy != everywhere.boxes).any(axis=1)
    np.testing.assert_array_equal(noisy[hit].round(decimals), noisy[hit])
    exact = CenterScaleJitter(0.3)(everywhere, keyed_rng(0)).boxes
    large = hit & ((everywhere.boxes[:, 2:] - everywhere.boxes[:, :2]).min(axis=1) > 10)
    np.testing.assert_allclose(noisy[large], exact[large], atol=0.5 * 10.0**-decimals + 1e-9)


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_boxes_that_are_too_small_or_beside_the_image_are_left_alone(model, boxes):
    small = [
        [10, 10, 10, 30],
        [10, 10, 30, 10],
        [5, 5, 5, 5],
        [10, 10, 10.5, 40],
        [200, 10, 260, 40],
        [79.5, 5, 95, 20],
    ]
    labels = boxes(small, (60, 80))
    for seed in range(20):
        noisy, params = model.run(labels, keyed_rng(seed))
        np.testing.assert_array_equal(noisy.boxes, labels.boxes)
        assert params["objects"] == {}


def test_smaller_boxes_are_hit_if_asked_for(boxes):
    labels = boxes([[10, 10, 10.5, 40]], (60, 80))
    noisy = CenterScaleJitter(0.3, min_size=0.2)(labels, keyed_rng(0))
    assert noisy.boxes.tolist() != labels.boxes.tolist()
    assert (noisy.boxes[:, 2:] - noisy.boxes[:, :2]).min() >= 0.2


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_no_objects_are_no_problem(model, boxes):
    noisy, params = model.run(boxes([], (60, 80)), keyed_rng(0))
    assert noisy.boxes.shape == (0, 4)
    assert params["objects"] == {}


def test_crowds_are_left_alone(boxes):
    labels = boxes(np.tile([10.0, 10, 40, 40], (4, 1)), (60, 80)).replace(crowd=np.array([True, False, True, False]))
    noisy = CenterScaleJitter(0.3)(labels, keyed_rng(0))
    assert (noisy.boxes != labels.boxes).any(axis=1).tolist() == [False, True, False, True]


class Fixed(BoxNoise):
    """Puts every box at the same place; not registered."""

    def __init__(self, box, mask_policy):
        super().__init__(1.0, 1.0, None, mask_policy, None)
        self.box = box

    def moved(self, box, rng):
        return np.array(self.box, float)


@pytest.fixture
def one_mask(boxes):
    frame = np.zeros((60, 80), np.uint8)
    frame[20:40, 10:40] = 1
    frame[25:30, 15:20] = 0
    labels = boxes([[10, 20, 40, 40]], frame.shape)
    return labels.replace(masks=(Mask.from_frame(frame),))


def test_keep_leaves_the_mask_under_the_new_box(one_mask):
    noisy = Recipe([Fixed([0, 0, 20, 20], "keep")])(one_mask, keyed_rng(0))
    assert noisy.boxes.tolist() == [[0, 0, 20, 20]]
    assert noisy.masks[0] is one_mask.masks[0]


@pytest.mark.parametrize("boxes_rule", ["tight", "keep"])
def test_warp_moves_and_stretches_the_mask(one_mask, boxes_rule):
    noisy = Recipe([Fixed([20, 0, 50, 40], "warp")], boxes=boxes_rule)(one_mask, keyed_rng(0))
    expected = np.zeros((60, 80), np.uint8)
    expected[0:40, 20:50] = 1
    expected[10:20, 25:30] = 0
    np.testing.assert_array_equal(noisy.masks[0].frame(), expected)
    assert noisy.boxes.tolist() == [[20, 0, 50, 40]]


def test_clip_cuts_the_mask_at_the_new_box(one_mask):
    noisy = Recipe([Fixed([5, 22.4, 30, 60], "clip")])(one_mask, keyed_rng(0))
    expected = one_mask.masks[0].frame().copy()
    expected[:22], expected[:, 30:] = 0, 0
    np.testing.assert_array_equal(noisy.masks[0].frame(), expected)
    assert noisy.boxes.tolist() == [[10, 22, 30, 40]], "the box is tight around what is left"


def test_clip_by_a_larger_box_changes_nothing(one_mask):
    noisy = Recipe([Fixed([5, 10, 60, 60], "clip")])(one_mask, keyed_rng(0))
    assert noisy.masks[0] is one_mask.masks[0]
    np.testing.assert_array_equal(noisy.boxes, one_mask.boxes)


def test_a_mask_that_is_cut_away_is_the_recipes_to_settle(one_mask):
    beside = Fixed([50, 20, 70, 40], "clip")
    restored = Recipe([beside])(one_mask, keyed_rng(0))
    assert restored.masks[0] is one_mask.masks[0]
    np.testing.assert_array_equal(restored.boxes, one_mask.boxes)
    assert len(Recipe([beside], on_empty="drop")(one_mask, keyed_rng(0))) == 0


@pytest.mark.parametrize("mask_policy", ["warp", "clip"])
def test_boxes_are_tight_around_masks_that_followed(labels, mask_policy):
    model = Recipe([CenterScaleJitter(0.3, mask_policy=mask_policy)])
    for seed in range(5):
        noisy = model(labels, keyed_rng(seed))
        for box, mask in zip(noisy.boxes.tolist(), noisy.masks, strict=True):
            assert tuple(box) == mask.box


def test_masks_are_not_drawn_for_the_boxes(labels):
    """The boxes drawn for labels with masks are those drawn without."""
    for model in MODELS:
        assert model.sample(labels, keyed_rng(1)) == model.sample(labels.replace(masks=None), keyed_rng(1))


def test_a_moved_box_stays_where_it_is_after_noise_of_classes_and_before_the_file(labels):
    recipe = {
        "type": "noisyseg.Recipe",
        "noises": [
            {"type": "noisyseg.Scale", "size": 3},
            {"type": "noisyseg.CenterScaleJitter", "level": 0.2},
            {"type": "noisyseg.ClassConfusion", "rate": 0.5},
        ],
    }
    noisy, params = build_noise(recipe).run(labels, keyed_rng(0))
    drawn = params["steps"][1]["objects"]
    assert len(drawn) >= 6
    for source, box in zip(noisy.source.tolist(), noisy.boxes.tolist(), strict=True):
        if str(source) in drawn and source not in params["vanished"]:
            assert box == drawn[str(source)]["box"]


def test_params_in_a_file_give_the_same_boxes_again(everywhere):
    for model in MODELS:
        noisy, params = model.run(everywhere, keyed_rng(2))
        again = model.apply(everywhere, orjson.loads(orjson.dumps(params)))
        np.testing.assert_array_equal(noisy.boxes, again.boxes)


def test_noisy_labels_are_checked_ones(everywhere):
    noisy = ResampledBox()(everywhere, keyed_rng(0))
    fields = ("size_hw", "categories", "boxes", "classes", "masks", "source", "crowd")
    Instances(**{name: getattr(noisy, name) for name in fields})
    assert noisy.boxes.dtype == np.float64


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"prob": 1.1}, r"noise\.prob: expected a share in \[0, 1\], got 1\.1"),
        ({"min_size": 0}, r"noise\.min_size: expected pixels > 0, got 0"),
        (
            {"iou_range": [0.8, 0.5]},
            r"noise\.iou_range: expected two numbers 0 <= low <= high <= 1, got \[0\.8, 0\.5\]",
        ),
        ({"iou_range": 0.5}, r"noise\.iou_range: expected two numbers 0 <= low <= high <= 1, got 0\.5"),
        ({"mask_policy": "move"}, r"noise\.mask_policy: expected one of keep, warp, clip, got 'move'"),
        ({"decimals": -1}, r"noise\.decimals: expected a whole number >= 0, got -1"),
        ({"decimals": 1.5}, r"noise\.decimals: expected a whole number >= 0, got 1\.5"),
    ],
)
def test_bad_settings_are_errors_that_name_them(name, arguments, problem):
    own = {SETTING[name]: 0.2} if name in SETTING else {}
    with pytest.raises(NoiseConfigError, match=problem):
        build_noise({"type": f"noisyseg.{name}"} | own | arguments)


@pytest.mark.parametrize("value", [-0.1, 1.0, float("nan")])
def test_a_level_that_is_no_share_is_an_error(value):
    for model in (CenterScaleJitter, CoordinateJitter):
        with pytest.raises(ValueError, match=r"level: expected a share of the box's sides in \[0, 1\), got"):
            model(value)


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_a_gamma_below_zero_is_an_error(value):
    with pytest.raises(ValueError, match="gamma: expected a share of the box's sides >= 0, got"):
        GaussianJitter(value)
