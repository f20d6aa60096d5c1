import pytest
import torch

from noisyseg.losses import closed_form as module
from noisyseg.losses.closed_form import closed_form, subtract_at

LOGITS = torch.randn(5, 3, 4, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
FACTORS = torch.arange(40, dtype=torch.float64).reshape(5, 4, 2)


def cubes(logits, factors):
    return (factors * (logits**3).sum(1)), 3 * factors.unsqueeze(1) * logits**2


def test_values_and_gradient_of_the_kernel_come_through():
    assert torch.autograd.gradcheck(lambda z: closed_form(cubes, z, FACTORS), LOGITS.clone().requires_grad_())
    torch.testing.assert_close(closed_form(cubes, LOGITS, FACTORS), FACTORS * (LOGITS**3).sum(1))


@pytest.mark.parametrize(
    ("piece", "whole_maps", "sizes"),
    [
        (1, False, [(1, 1)] * 20),
        (12, False, [(1, 2)] * 10),
        (18, False, [(1, 3), (1, 1)] * 5),
        (1, True, [(1, 4)] * 5),
        (48, False, [(2, 4), (2, 4), (1, 4)]),
        (10**6, False, [(5, 4)]),
    ],
)
def test_pieces_do_not_show(monkeypatch, piece, whole_maps, sizes):
    monkeypatch.setattr(module, "PIECE", piece)
    seen = []

    def kernel(logits, factors):
        seen.append((len(logits), logits.shape[2]))
        return cubes(logits, factors)

    logits = LOGITS.clone().requires_grad_()
    values = closed_form(kernel, logits, FACTORS, whole_maps=whole_maps)
    values.sum().backward()
    torch.testing.assert_close(values.detach(), cubes(LOGITS, FACTORS)[0])
    torch.testing.assert_close(logits.grad, cubes(LOGITS, FACTORS)[1])
    assert seen == sizes


def test_a_second_derivative_raises():
    logits = LOGITS.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(closed_form(cubes, logits, FACTORS).square().sum(), logits, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()
    (gradient,) = torch.autograd.grad(closed_form(cubes, logits, FACTORS).sum(), logits, create_graph=True)
    assert not gradient.requires_grad


def test_subtract_at_takes_a_number_or_one_for_each_element():
    target = torch.tensor([[2, 0], [1, 1]])
    volume = torch.zeros(2, 3, 2, dtype=torch.float64)
    assert subtract_at(volume, target, 1.0) is volume
    subtract_at(volume, target, torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64))
    assert volume.tolist() == [[[0, -3], [0, 0], [-2, 0]], [[0, 0], [-4, -5], [0, 0]]]
