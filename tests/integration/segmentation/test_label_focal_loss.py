import pytest
import torch
import torch.nn.functional as F

from noisyseg.registry import MODELS


def test_it_is_the_sigmoid_focal_loss_of_the_pixels_that_count():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 4, 5, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 3, (2, 4, 5), generator=generator)
    labels[0, :2] = 255
    loss = MODELS.build({"type": "noisyseg.LabelFocalLoss", "gamma": 2.0, "alpha": 0.25})
    valid = labels != 255
    chosen, targets = logits.movedim(1, -1)[valid], F.one_hot(labels[valid], 3).double()
    p = torch.where(targets == 1, chosen.sigmoid(), 1 - chosen.sigmoid())
    alpha = torch.where(targets == 1, 0.25, 0.75)
    expected = (-alpha * (1 - p) ** 2 * p.log()).mean()
    assert loss(logits, labels, ignore_index=255).item() == pytest.approx(expected.item(), rel=1e-6)


def test_nothing_that_counts_gives_zero():
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    loss = MODELS.build({"type": "noisyseg.LabelFocalLoss"})(logits, torch.full((1, 2, 2), 255))
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()
