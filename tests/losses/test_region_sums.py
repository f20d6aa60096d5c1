"""The sums of Dice losses: against numpy, the closed form against autograd, and over processes."""

import numpy as np
import pytest
import torch
import torch.multiprocessing
import torch.nn.functional as F

from noisyseg.losses import region_sums
from noisyseg.losses.region_sums import RegionSums, sums_of_labels, sums_of_targets

GENERATOR = torch.Generator().manual_seed(0)
LOGITS = torch.randn(2, 4, 3, 5, generator=GENERATOR, dtype=torch.float64)
LABELS = torch.randint(0, 4, (2, 3, 5), generator=GENERATOR)
WEIGHT = torch.rand(2, 3, 5, generator=GENERATOR, dtype=torch.float64)
ONE_HOT = F.one_hot(LABELS, 4).permute(0, 3, 1, 2)
POWERS = [(1, None), (2, None), (1, 1.0), (1, 1.5), (2, 1.3), (2, 2.0)]
NAMES = ("overlap", "predicted", "labelled", "error", "weight")


def test_the_sums_equal_numpy():
    p, y, w = LOGITS.softmax(1).numpy(), ONE_HOT.numpy(), WEIGHT[:, None].numpy()
    sums = sums_of_targets(torch.tensor(p), ONE_HOT, WEIGHT[:, None], kappa=2, gamma=1.5)
    for name, expected in [
        ("overlap", w * p * y),
        ("predicted", w * p**2),
        ("labelled", w * y**2),
        ("error", w * np.abs(p - y) ** 1.5),
        ("weight", w * np.ones_like(p)),
    ]:
        np.testing.assert_allclose(getattr(sums, name).numpy(), expected.sum((2, 3)), rtol=1e-12)


@pytest.mark.parametrize("sigmoid", [False, True])
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize(("kappa", "gamma"), POWERS)
def test_the_closed_form_equals_autograd(kappa, gamma, weight, sigmoid):
    dense = None if weight is None else weight[:, None]
    first, second = LOGITS.clone().requires_grad_(), LOGITS.clone().requires_grad_()
    p = second.sigmoid() if sigmoid else second.softmax(1)
    ours = sums_of_labels(first, LABELS, weight, kappa=kappa, gamma=gamma, sigmoid=sigmoid)
    expected = sums_of_targets(p, ONE_HOT, dense, kappa=kappa, gamma=gamma)
    factors = torch.rand(3, 2, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for sums in (ours, expected):
        total = (factors[0] * sums.overlap + factors[1] * sums.predicted).sum()
        (total if gamma is None else total + (factors[2] * sums.error).sum()).backward()
    for name in NAMES:
        torch.testing.assert_close(getattr(ours, name), getattr(expected, name))
    torch.testing.assert_close(first.grad, second.grad)


@pytest.mark.parametrize(("kappa", "gamma"), [(1, 1.0), (2, 1.3), (1, 1.5), (2, 2.0)])
@pytest.mark.parametrize("sigmoid", [False, True])
def test_the_gradient_of_each_sum_in_double(kappa, gamma, sigmoid):
    def sums(logits):
        result = sums_of_labels(logits, LABELS, WEIGHT, kappa=kappa, gamma=gamma, sigmoid=sigmoid)
        return result.overlap, result.predicted, result.error

    assert torch.autograd.gradcheck(sums, LOGITS.clone().requires_grad_())


@pytest.mark.parametrize("sigmoid", [False, True])
def test_probabilities_of_exactly_0_and_1_have_a_finite_gradient(sigmoid):
    logits = torch.tensor([[[1000.0, -1000.0], [-1000.0, 1000.0]]]).requires_grad_()
    sums = sums_of_labels(logits, torch.tensor([[0, 0]]), gamma=1.0, sigmoid=sigmoid)
    assert sums.overlap.tolist() == [[1, 0]]
    assert sums.error.tolist() == [[1, 1]]
    (sums.error.sum() + sums.predicted.sum()).backward()
    assert torch.isfinite(logits.grad).all()


def test_more_pixels_than_float32_can_count():
    """One running sum of ones in float32 stops at 2^24."""
    labels = torch.zeros(1, 1, 1, dtype=torch.long).expand(1, 4200, 4200)
    ones = torch.ones(1, 1, 1).expand(1, 4200, 4200)
    assert region_sums._sum_by_label(ones, labels, 1).item() == 4200 * 4200 > 2**24


def test_pooling_adds_up_the_weighted_images():
    sums = sums_of_labels(LOGITS, LABELS, WEIGHT, gamma=1.5)
    pooled = sums.pooled(torch.tensor([0.5, 2.0]))
    for name in NAMES:
        expected = 0.5 * getattr(sums, name)[:1] + 2 * getattr(sums, name)[1:]
        torch.testing.assert_close(getattr(pooled, name), expected)
    assert sums_of_labels(LOGITS, LABELS).pooled(None).error is None


def test_the_first_class_can_be_left_out():
    sums = sums_of_labels(LOGITS, LABELS).without_first_class()
    assert sums.overlap.shape == (2, 3)
    assert sums.error is None


def _pool_in_one_of_two_processes(rank, meeting, folder):
    torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    logits = LOGITS[rank : rank + 1].clone().requires_grad_()
    sums = sums_of_labels(logits, LABELS[rank : rank + 1], gamma=1.5).pooled(None, sync=True)
    _example(sums).backward()
    torch.save((_example(sums).detach(), logits.grad), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def _example(sums: RegionSums):
    return (sums.error / (sums.predicted + sums.labelled)).mean()


@pytest.mark.slow
def test_pooling_over_processes_is_pooling_over_the_whole_batch(tmp_path):
    meeting = tmp_path / "meeting"
    torch.multiprocessing.spawn(_pool_in_one_of_two_processes, (meeting, tmp_path), nprocs=2)
    logits = LOGITS.clone().requires_grad_()
    alone = _example(sums_of_labels(logits, LABELS, gamma=1.5).pooled(None))
    alone.backward()
    for rank in range(2):
        value, grad = torch.load(tmp_path / f"{rank}.pt")
        torch.testing.assert_close(value, alone.detach())
        torch.testing.assert_close(grad / 2, logits.grad[rank : rank + 1])  # the mean over two processes
