import itertools
import math

import pytest
import torch
import torch.nn.functional as F

from noisyseg.losses import CrossEntropy, SpatiallyVaryingLabelSmoothing, smoothed_cross_entropy
from noisyseg.losses.svls import neighbour_weights

GENERATOR = torch.Generator().manual_seed(0)
LOGITS = torch.randn(2, 3, 6, 7, generator=GENERATOR, dtype=torch.float64)
LABELS = torch.randint(0, 3, (2, 6, 7), generator=GENERATOR)
VOLUME = torch.randn(2, 3, 4, 3, 5, generator=GENERATOR, dtype=torch.float64)
VOLUME_LABELS = torch.randint(0, 3, (2, 4, 3, 5), generator=GENERATOR)
IGNORED = torch.rand(LABELS.shape, generator=GENERATOR) < 0.3


def soft_labels(labels, weights):
    """One-hot labels, border repeated, convolved: how the authors write it."""
    dimensions = weights.dim()
    one_hot = F.one_hot(labels, 3).movedim(-1, 1).double()
    margin = weights.shape[0] // 2
    padded = F.pad(one_hot, (margin,) * (2 * dimensions), mode="replicate")
    convolve = F.conv2d if dimensions == 2 else F.conv3d
    return convolve(padded, weights.expand(3, 1, *weights.shape), groups=3)


def nearby(labels, row, column):
    """Labels of the eight neighbours and their distance squared; outside the map the nearest pixel."""
    for i, j in itertools.product((-1, 0, 1), repeat=2):
        if (i, j) != (0, 0):
            inside = min(max(row + i, 0), labels.shape[0] - 1), min(max(column + j, 0), labels.shape[1] - 1)
            yield int(labels[inside]), i * i + j * j


def test_weights_of_a_square_of_three():
    edge, corner = math.exp(-0.5), math.exp(-1)
    half = 8 * (edge + corner)
    expected = [corner, edge, corner, edge, half / 2, edge, corner, edge, corner]
    assert neighbour_weights(3, 1.0, 2).flatten().tolist() == pytest.approx([w / half for w in expected])


@pytest.mark.parametrize(("size", "dimensions"), [(3, 2), (5, 2), (3, 3), (5, 3)])
def test_the_centre_has_half_of_the_weight(size, dimensions):
    weights = neighbour_weights(size, 0.7, dimensions)
    assert weights.sum().item() == pytest.approx(1)
    assert weights[(size // 2,) * dimensions].item() == pytest.approx(0.5)
    assert weights.max() == weights[(size // 2,) * dimensions]


@pytest.mark.parametrize(("size", "sigma"), [(3, 1.0), (5, 2.0)])
@pytest.mark.parametrize(("logits", "labels"), [(LOGITS, LABELS), (VOLUME, VOLUME_LABELS)])
def test_values_and_gradient_equal_a_convolution_of_one_hot_labels(logits, labels, size, sigma):
    weights = neighbour_weights(size, sigma, labels.dim() - 1)
    soft = soft_labels(labels, weights)
    theirs, ours = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    expected = F.cross_entropy(theirs, soft, reduction="none")
    values = smoothed_cross_entropy(ours, labels, None, weights)
    torch.testing.assert_close(values, expected)
    expected.sum().backward()
    values.sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)
    torch.testing.assert_close(SpatiallyVaryingLabelSmoothing(sigma, size)(logits, labels), expected.mean())


def test_ignored_neighbours_give_nothing_and_the_rest_is_scaled_up():
    labels = torch.where(IGNORED, 255, LABELS)
    values = SpatiallyVaryingLabelSmoothing(reduction="none")(LOGITS, labels)
    log_p = LOGITS.log_softmax(1)
    for n, row, column in itertools.product(range(2), range(6), range(7)):
        if labels[n, row, column] == 255:
            assert values[n, row, column] == 0
            continue
        at = log_p[n, :, row, column]
        near = [(label, math.exp(-squared / 2)) for label, squared in nearby(labels[n], row, column)]
        centre = 4 * (math.exp(-0.5) + math.exp(-1))
        total = centre + sum(weight for label, weight in near if label != 255)
        value = centre * at[labels[n, row, column]] + sum(weight * at[label] for label, weight in near if label != 255)
        assert values[n, row, column].item() == pytest.approx(-(value / total).item())


def test_inside_a_region_it_is_cross_entropy():
    labels = torch.full_like(LABELS, 2)
    ours = SpatiallyVaryingLabelSmoothing()(LOGITS, labels)
    torch.testing.assert_close(ours, CrossEntropy()(LOGITS, labels))
    split = SpatiallyVaryingLabelSmoothing()(LOGITS, torch.where(IGNORED, 255, labels))
    torch.testing.assert_close(split, CrossEntropy()(LOGITS, torch.where(IGNORED, 255, labels)))


def test_a_narrow_gaussian_still_gives_half_to_the_neighbours():
    weights = neighbour_weights(3, 0.01, 2)
    assert weights[0, 1].item() == pytest.approx(1 / 8)
    assert weights[0, 0].item() == pytest.approx(0)


def test_the_sigmoid_form_smooths_each_channel():
    soft = soft_labels(LABELS, neighbour_weights(3, 1.0, 2))
    loss = SpatiallyVaryingLabelSmoothing(use_sigmoid=True)
    expected = F.binary_cross_entropy_with_logits(LOGITS, soft)
    torch.testing.assert_close(loss(LOGITS, LABELS), expected)
    one_hot = F.one_hot(LABELS, 3).movedim(-1, 1).double()
    torch.testing.assert_close(loss(LOGITS, one_hot), expected)
    softer = 0.8 * one_hot + 0.1
    torch.testing.assert_close(loss(LOGITS, softer), F.binary_cross_entropy_with_logits(LOGITS, 0.8 * soft + 0.1))


def test_the_sigmoid_form_in_volumes():
    soft = soft_labels(VOLUME_LABELS, neighbour_weights(3, 1.0, 3))
    loss = SpatiallyVaryingLabelSmoothing(use_sigmoid=True)
    torch.testing.assert_close(loss(VOLUME, VOLUME_LABELS), F.binary_cross_entropy_with_logits(VOLUME, soft))


def test_ignored_neighbours_in_the_sigmoid_form():
    labels = torch.where(IGNORED, 255, LABELS)
    counts = (~IGNORED).double()
    weights = neighbour_weights(3, 1.0, 2)
    padded = F.pad(counts[:, None], (1, 1, 1, 1), mode="replicate")
    total = F.conv2d(padded, weights[None, None])
    one_hot = F.pad(F.one_hot(LABELS, 3).movedim(-1, 1) * counts[:, None], (1, 1, 1, 1), mode="replicate")
    soft = F.conv2d(one_hot, weights.expand(3, 1, 3, 3), groups=3) / total
    ours = SpatiallyVaryingLabelSmoothing(use_sigmoid=True, reduction="none")(LOGITS, labels)
    expected = F.binary_cross_entropy_with_logits(LOGITS, soft.clamp(0, 1), reduction="none") * counts[:, None]
    torch.testing.assert_close(ours, expected)


def test_masks_of_instances():
    masks = (torch.rand(2, 6, 7, generator=GENERATOR) < 0.5).double()
    classes = torch.tensor([2, 0])
    padded = F.pad(masks[:, None], (1, 1, 1, 1), mode="replicate")
    soft = F.conv2d(padded, neighbour_weights(3, 1.0, 2)[None, None])[:, 0]
    expected = F.binary_cross_entropy_with_logits(LOGITS[[0, 1], classes], soft)
    ours = SpatiallyVaryingLabelSmoothing(use_mask=True)(LOGITS, masks, classes)
    torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize(
    ("settings", "logits", "target"),
    [
        ({}, torch.zeros(5, 4), torch.zeros(5, dtype=torch.long)),
        ({}, torch.zeros(5, 4, 7), torch.zeros(5, 7, dtype=torch.long)),
        (dict(use_sigmoid=True), torch.zeros(5, 4), torch.zeros(5, dtype=torch.long)),
        (dict(use_sigmoid=True), torch.zeros(12), torch.zeros(12)),
    ],
)
def test_what_has_no_neighbours_raises(settings, logits, target):
    with pytest.raises(ValueError, match=r"looks at neighbours: expected logits of maps \(N, K, H, W\), volumes"):
        SpatiallyVaryingLabelSmoothing(**settings)(logits, target)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(sigma=0), "sigma: expected a finite number > 0"),
        (dict(kernel_size=4), "kernel_size: expected an odd number >= 3"),
        (dict(kernel_size=1), "kernel_size: expected an odd number >= 3"),
    ],
)
def test_bad_settings_raise(settings, message):
    with pytest.raises(ValueError, match=message):
        SpatiallyVaryingLabelSmoothing(**settings)


def test_settings_are_printed_and_not_in_the_checkpoint():
    loss = SpatiallyVaryingLabelSmoothing(2.0, 5)
    assert "sigma=2.0, kernel_size=5" in repr(loss)
    assert loss.state_dict() == {}
