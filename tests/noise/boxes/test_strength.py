"""How strong each published setting is: the distribution of its numbers and of the IoU with the clean boxes."""

import numpy as np
import pytest
from scipy import stats
from shapely import box as shapely_boxes
from shapely import intersection, union

from noisyseg.labels.coco import read_coco
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.boxes import CenterScaleJitter, CoordinateJitter, GaussianJitter, ResampledBox

# Mean, 5 % quantile, shares of at least 0.5 and 0.75, of the IoU where nothing is cut, from an
# implementation that is not ours.
EXPECTED = {
    CenterScaleJitter(0.1): (0.811, 0.722, 1.00, 0.86),
    CenterScaleJitter(0.2): (0.664, 0.526, 0.98, 0.18),
    CenterScaleJitter(0.3): (0.545, 0.380, 0.62, 0.04),
    CenterScaleJitter(0.4): (0.448, 0.268, 0.32, 0.01),
    CoordinateJitter(0.1): (0.823, 0.749, 1.00, 0.95),
    CoordinateJitter(0.2): (0.682, 0.559, 0.99, 0.19),
    CoordinateJitter(0.3): (0.566, 0.404, 0.74, 0.04),
    CoordinateJitter(0.4): (0.468, 0.270, 0.39, 0.01),
    GaussianJitter(0.05): (0.856, 0.769, 1.00, 0.98),
    GaussianJitter(0.1): (0.737, 0.591, 1.00, 0.46),
    GaussianJitter(0.2): (0.548, 0.315, 0.66, 0.06),
}


def ious(one, other):
    a, b = shapely_boxes(*one.T), shapely_boxes(*other.T)
    return np.array([part.area for part in intersection(a, b)]) / np.array([whole.area for whole in union(a, b)])


@pytest.mark.parametrize("model", EXPECTED, ids=repr)
def test_iou_with_the_clean_boxes(model, far_from_the_border):
    clean = far_from_the_border.boxes
    iou = ious(clean, model(far_from_the_border, keyed_rng(0)).boxes)
    measured = iou.mean(), np.quantile(iou, 0.05), (iou >= 0.5).mean(), (iou >= 0.75).mean()
    np.testing.assert_allclose(measured, EXPECTED[model], atol=0.01)


def test_resampled_boxes_nearly_destroy_the_box(far_from_the_border):
    clean = far_from_the_border.boxes
    noisy = ResampledBox()(far_from_the_border, keyed_rng(0)).boxes
    iou = ious(clean, noisy)
    assert iou.mean() == pytest.approx(0.15, abs=0.01)
    # Along one axis both positions lie left of the box or both right of it with probability 1 / 8.
    assert (iou == 0).mean() == pytest.approx(1 - (7 / 8) ** 2, abs=0.01)
    sides = (noisy - clean[:, [0, 1, 0, 1]])[:, 2:] - (noisy - clean[:, [0, 1, 0, 1]])[:, :2]
    np.testing.assert_allclose(sides.mean(axis=0), np.array([3000, 2000]) * 2 / 3, rtol=0.01)


def shares(labels, noisy):
    """Returns what was drawn: how far each side, and the centre, and the sides moved, as shares of the sides."""
    sides = labels.boxes[:, 2:] - labels.boxes[:, :2]
    by_side = (noisy.boxes - labels.boxes) / np.tile(sides, 2)
    centre = (by_side[:, :2] + by_side[:, 2:]) / 2
    return by_side, np.concatenate([centre, by_side[:, 2:] - by_side[:, :2]], axis=1)


def assert_independent(columns):
    correlation = np.corrcoef(columns.T)[~np.eye(columns.shape[1], dtype=bool)]
    assert np.abs(correlation).max() < 4 / np.sqrt(len(columns))


@pytest.mark.parametrize("level", [0.1, 0.4])
def test_centres_and_sides_are_uniform(level, far_from_the_border):
    _, drawn = shares(far_from_the_border, CenterScaleJitter(level)(far_from_the_border, keyed_rng(1)))
    for column in drawn.T:
        assert stats.kstest(column, stats.uniform(-level, 2 * level).cdf).pvalue > 0.001
    assert_independent(drawn)


@pytest.mark.parametrize("level", [0.2, 0.4])
def test_sides_are_uniform(level, far_from_the_border):
    drawn, _ = shares(far_from_the_border, CoordinateJitter(level)(far_from_the_border, keyed_rng(1)))
    for column in drawn.T:
        assert stats.kstest(column, stats.uniform(-level, 2 * level).cdf).pvalue > 0.001
    assert_independent(drawn)


def test_sides_are_gaussian(far_from_the_border):
    drawn, _ = shares(far_from_the_border, GaussianJitter(0.1)(far_from_the_border, keyed_rng(1)))
    for column in drawn.T:
        assert stats.kstest(column, stats.norm(scale=0.1).cdf).pvalue > 0.001
    assert_independent(drawn)


def test_resampled_sides_are_the_order_of_two_uniforms(far_from_the_border):
    drawn, _ = shares(far_from_the_border, ResampledBox(decimals=None)(far_from_the_border, keyed_rng(1)))
    for column, shift, distribution in zip(drawn.T, (0.5, 0.5, 1.5, 1.5), [(1, 2)] * 2 + [(2, 1)] * 2, strict=True):
        assert stats.kstest((column + shift) / 2, stats.beta(*distribution).cdf).pvalue > 0.001


@pytest.mark.parametrize("prob", [0.2, 0.7])
def test_the_share_of_boxes_that_are_hit(prob, far_from_the_border):
    noisy = CenterScaleJitter(0.2, prob=prob)(far_from_the_border, keyed_rng(0))
    hit = int((noisy.boxes != far_from_the_border.boxes).any(axis=1).sum())
    assert stats.binomtest(hit, len(noisy), prob).pvalue > 0.001


@pytest.mark.parametrize(("model", "mean"), [(CenterScaleJitter(0.4), 0.461), (CoordinateJitter(0.4), 0.481)], ids=repr)
def test_iou_on_real_boxes_cut_at_the_image(coco_tiny_dir, model, mean):
    means = []
    for seed in range(4):
        iou = []
        for file in ("instances_train2017", "instances_val2017"):
            coco = read_coco(coco_tiny_dir / "annotations" / f"{file}.json")
            for image_id in coco.images:
                labels = coco.instances(image_id).replace(masks=None)
                noisy = model(labels, keyed_rng(seed, image_id))
                iou += ious(labels.boxes, noisy.boxes)[~labels.crowd].tolist()
        assert len(iou) == 1503
        means.append(np.mean(iou))
    assert np.mean(means) == pytest.approx(mean, abs=0.01)
