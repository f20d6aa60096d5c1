import numpy as np
import pytest
import torch
import torch.nn.functional as F

from noisyseg.ops import reachable, warp
from noisyseg.transitions.shift_terms import (
    complexity_sum,
    seen_through,
    smoothness_sum,
    still_valid,
    target_sum,
    unreached_sum,
)


@pytest.fixture
def batch():
    """Probabilities, fields, label edges and valid pixels of two images."""
    generator = torch.Generator().manual_seed(0)
    probability = torch.rand(2, 3, 20, 21, generator=generator)
    field = torch.randn(2, 2, 20, 21, generator=generator) * 2
    labels = torch.rand(2, 3, 20, 21, generator=generator) < 0.1
    valid = torch.ones(2, 1, 20, 21, dtype=torch.bool)
    valid[0, 0, :5] = False
    return probability, field, labels, valid


def similarity(probability, field, labels):
    return F.binary_cross_entropy_with_logits(seen_through(probability, field), labels.float(), reduction="sum")


def test_similarity_is_the_cross_entropy_of_what_is_read(batch):
    probability, field, labels, _ = batch
    read = warp(probability, field).clamp(1e-6, 1 - 1e-6)
    expected = F.binary_cross_entropy(read, labels.float(), reduction="sum")
    assert similarity(probability, field, labels).item() == pytest.approx(expected.item(), rel=1e-4)


def test_a_shifted_label_asks_for_the_shift_back():
    edges = torch.zeros(1, 1, 40, 40)
    edges[..., 12:28, 14] = edges[..., 14, 12:28] = edges[..., 20, 14:30] = 1
    blurred = edges
    for _ in range(6):
        blurred = F.avg_pool2d(blurred, 3, stride=1, padding=1)
    probability = blurred / blurred.max()
    labels = probability.roll((2, -3), (2, 3))  # labels(p) = probability(p - d) with d = (2, -3)
    shift = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.Adam([shift], lr=0.2)
    for _ in range(100):
        optimizer.zero_grad()
        similarity(probability, shift.view(1, 2, 1, 1).expand(1, 2, 40, 40), labels).backward()
        optimizer.step()
    assert shift.tolist() == pytest.approx([-2, 3], abs=0.1)


def test_gradient_stays_finite_where_the_prediction_is_certain():
    probability = torch.tensor([[[[0.0, 1.0, 1.0, 0.0]]]], requires_grad=True)
    labels = torch.tensor([[[[True, True, False, False]]]])
    similarity(probability, torch.zeros(1, 2, 1, 4), labels).backward()
    assert probability.grad.isfinite().all()


def test_ignored_pixels_take_those_with_them_that_read_them():
    valid = torch.ones(1, 1, 6, 8, dtype=torch.bool)
    valid[..., 5] = False
    field = torch.zeros(1, 2, 6, 8)
    field[:, 1] = -1.5
    still = still_valid(valid, field)
    assert still[0, 0, 0].tolist() == [True, True, True, True, True, False, False, False]
    assert still_valid(torch.ones_like(valid), 100 * field).all()  # outside of the image nothing is ignored


def test_sums_of_two_images_are_those_of_each(batch):
    probability, field, labels, valid = batch
    any_label = labels.any(1, keepdim=True)
    complexity = torch.rand(2, 1, 20, 21)
    target = torch.randn(2, 2, 20, 21)
    field[1] *= 10

    def terms(part):
        return torch.stack(
            [
                target_sum(field[part], target[part], any_label[part]),
                complexity_sum(field[part], complexity[part], any_label[part], valid[part]),
                unreached_sum(probability[part], reachable(field[part]), valid[part]),
                smoothness_sum(field[part], valid[part]),
            ]
        )

    torch.testing.assert_close(terms(slice(0, 2)), terms(slice(0, 1)) + terms(slice(1, 2)))


def test_terms_are_their_formulas(batch):
    probability, field, labels, valid = (tensor.double().numpy() for tensor in batch)
    any_label = labels.any(axis=1)
    complexity = np.random.default_rng(0).random((2, 1, 20, 21)).astype(np.float32)
    energy = (field**2).sum(1) * any_label
    energy /= np.maximum(energy.max((1, 2), keepdims=True), 1)
    read = warp(torch.from_numpy(complexity), batch[1]).numpy()[:, 0]
    expected = ((np.minimum(energy, 0.99) - np.minimum(read, 0.99)) ** 2 * valid[:, 0]).sum()
    found = complexity_sum(batch[1], torch.from_numpy(complexity), batch[2].any(1, keepdim=True), batch[3])
    assert found.item() == pytest.approx(expected, rel=1e-5)
    logits = batch[0].logit()
    reached = reachable(batch[1])
    expected = -(np.log(1 - probability) * valid * ~reached.numpy()).sum()
    assert unreached_sum(logits, reached, batch[3]).item() == pytest.approx(expected, rel=1e-5)


def test_no_shift_leaves_no_pixel_unreached(batch):
    probability, field, _, valid = batch
    assert unreached_sum(probability, reachable(0 * field), valid) == 0


def test_an_image_with_nothing_to_compare_counts_nothing(batch):
    _, field, labels, valid = batch
    complexity, labelled = torch.rand(2, 1, 20, 21), labels.any(1, keepdim=True)
    one = complexity_sum(field[1:], complexity[1:], labelled[1:], valid[1:])
    for nothing in (complexity, labelled):
        nothing[0] = 0
        assert complexity_sum(field, complexity, labelled, valid) == pytest.approx(one.item())
        nothing[0] = 1
    field.requires_grad_()
    complexity_sum(field, torch.zeros_like(complexity), labelled, valid).backward()
    assert not field.grad.any()


def test_a_ramp_is_as_rough_as_its_slope():
    valid = torch.ones(1, 1, 10, 12, dtype=torch.bool)
    field = torch.zeros(1, 2, 10, 12)
    field[:, 0] = 0.5 * torch.arange(12)
    assert smoothness_sum(field, valid) == pytest.approx(10 * 11 * 0.25)
    assert smoothness_sum(field.mT, valid.mT) == pytest.approx(10 * 11 * 0.25)
    valid[..., 6] = False
    assert smoothness_sum(field, valid) == pytest.approx(10 * 9 * 0.25)
    assert smoothness_sum(field * 0 + 3, valid) == 0


FIELD, MASK = torch.zeros(2, 2, 4, 5), torch.ones(2, 1, 4, 5, dtype=torch.bool)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: seen_through(torch.ones(2, 3, 4, 6), FIELD), "expected values"),
        (lambda: still_valid(MASK.float(), FIELD), "valid: expected .* bool, got .* of torch.float32"),
        (lambda: still_valid(MASK.repeat(1, 2, 1, 1), FIELD), r"valid: expected \(2, 1, 4, 5\) bool"),
        (lambda: target_sum(FIELD, FIELD, MASK[:, 0]), r"defined: expected \(2, 1, 4, 5\) bool, got \(2, 4, 5\)"),
        (lambda: target_sum(FIELD, FIELD[:, :1], MASK), r"target: expected \(2, 2, 4, 5\), got \(2, 1, 4, 5\)"),
        (lambda: target_sum(FIELD[0], FIELD, MASK), r"field: expected \(B, 2, H, W\), got \(2, 4, 5\)"),
        (lambda: complexity_sum(FIELD, MASK.float(), MASK.float(), MASK), "labelled: expected"),
        (lambda: complexity_sum(FIELD, FIELD, MASK, MASK), "complexity: expected"),
        (lambda: complexity_sum(FIELD, MASK.float(), MASK, MASK[:1]), "valid: expected"),
        (lambda: smoothness_sum(FIELD, MASK[:, 0]), "valid: expected"),
        (lambda: smoothness_sum(FIELD[:, :1], MASK), "field: expected"),
        (lambda: unreached_sum(FIELD, MASK[:, 0], MASK), "reached: expected"),
        (lambda: unreached_sum(FIELD, MASK, MASK.int()), "valid: expected"),
        (lambda: unreached_sum(FIELD[0], MASK, MASK), "logits: expected"),
    ],
)
def test_wrong_input_says_what_was_expected(call, message):
    with pytest.raises(ValueError, match=message):
        call()
