"""The term that holds scales together: against released values, autograd, and what a divergence has to be."""

import math

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from noisyseg.losses import closed_form
from noisyseg.losses.multi_scale import ScaleWeights, multi_scale_consistency

RELEASED = {"gate": "image", "divisor": "all", "normalize": False}


def batch(scales=3, classes=4, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = [2 * torch.randn(2, classes, 5, 6, generator=generator, dtype=dtype) for _ in range(scales)]
    weights = torch.rand(scales, generator=generator, dtype=dtype).softmax(0)
    return logits, weights, torch.rand(2, 5, 6, generator=generator) > 0.2


def by_hand(logits, weights, valid, threshold):
    """The values of pixels in numpy, with the gate of each pixel and a mixture that sums to 1."""
    p = np.stack([np.exp(z.numpy()) / np.exp(z.numpy()).sum(1, keepdims=True) for z in logits])
    q = np.clip(np.tensordot(weights.numpy(), p, 1), 1e-3, 1 - 1e-3)
    q /= q.sum(1, keepdims=True)
    gate = (q.max(1) >= threshold) & valid.numpy()
    return (p * np.log(p / q)).sum((0, 2)) * gate


def test_the_released_values(golden_dir):
    golden = np.load(golden_dir / "adele_consistency.npz")
    for logits, numbers, labels, *expected in zip(
        *(golden[name] for name in ("logits", "weight", "labels", "voc_cons", "thor_cons")), strict=True
    ):
        weights = ScaleWeights(3)
        with torch.no_grad():
            weights.numbers.copy_(torch.tensor(numbers))
        valid = torch.tensor(labels) != 255
        value = multi_scale_consistency(list(torch.tensor(logits)), weights(), valid, **RELEASED)
        assert value.tolist() == pytest.approx(expected[0], abs=1e-5)
        assert value.tolist() == pytest.approx(expected[1], abs=1e-5)


@pytest.mark.parametrize("scales", [1, 2, 3, 5])
def test_the_values_by_hand(scales):
    logits, weights, valid = batch(scales)
    expected = by_hand(logits, weights, valid, 0.6)
    assert (expected != 0).any()
    value = multi_scale_consistency(logits, weights, valid, threshold=0.6)
    torch.testing.assert_close(value.item(), expected.sum() / valid.sum().item())
    of_all = multi_scale_consistency(logits, weights, valid, threshold=0.6, divisor="all")
    torch.testing.assert_close(of_all.item(), expected.sum() / valid.numel())


def test_the_gate_of_an_image_opens_it_whole():
    logits, weights, valid = batch()
    open_ = by_hand(logits, weights, valid, 0)
    for z in logits:
        z[1, 0, 0, 0] += 20
        z[0] *= 0.1
    valid[1, 0, 0] = True
    value = multi_scale_consistency(logits, weights, valid, threshold=0.99, gate="image")
    sure = by_hand(logits, weights, valid, 0)[1]
    torch.testing.assert_close(value.item(), sure.sum() / valid.sum().item())
    assert open_[1].sum() != pytest.approx(0)
    unmasked = multi_scale_consistency(logits, weights, valid, threshold=0.99, gate="image", masked=False)
    everywhere = by_hand(logits, weights, torch.ones_like(valid), 0)[1]
    torch.testing.assert_close(unmasked.item(), everywhere.sum() / valid.sum().item())
    valid[1, 0, 0] = False  # an ignored pixel opens nothing
    assert multi_scale_consistency(logits, weights, valid, threshold=0.99, gate="image", masked=False) == 0


@pytest.mark.parametrize("classes", [1, 4])
@pytest.mark.parametrize("gate", ["pixel", "image"])
@pytest.mark.parametrize("normalize", [True, False])
def test_the_gradient_in_double(classes, gate, normalize):
    logits, weights, valid = batch(classes=classes)
    logits[0][0, 0, 0, 0] = 12  # the mixture is clipped, from below or from above
    logits[1][0, 0, 0, 0] = logits[2][0, 0, 0, 0] = 12

    def value(weights, *logits):
        return multi_scale_consistency(logits, weights, valid, threshold=0.6, gate=gate, normalize=normalize)

    leaves = [tensor.requires_grad_() for tensor in (weights, *logits)]
    assert torch.autograd.gradcheck(value, leaves)


def test_equal_predictions_are_consistent():
    logits, weights, valid = batch(scales=1)
    value = multi_scale_consistency([0.5 * logits[0]] * 3, weights.new_tensor([0.2, 0.3, 0.5]), valid, threshold=0.1)
    assert value.item() == pytest.approx(0, abs=1e-12)


def test_it_is_never_negative_and_hardly_so_as_released():
    released = []
    for seed in range(20):
        logits, weights, valid = batch(seed=seed)
        for factor in (1, 3, 10):
            sharp = [factor * z for z in logits]
            assert multi_scale_consistency(sharp, weights, valid) >= 0
            assert multi_scale_consistency([sharp[0]] * 3, weights, valid) >= -1e-12
            released.append(multi_scale_consistency([sharp[0]] * 3, weights, valid, normalize=False).item())
    assert -3 * math.log1p(4 / 1000) <= min(released) < 0


def test_nothing_is_held_to_an_unsure_mixture():
    logits, weights, valid = batch()
    flat = [(0.01 * z).requires_grad_() for z in logits]
    value = multi_scale_consistency(flat, weights, valid)
    value.backward()
    assert value == 0
    assert all((z.grad == 0).all() for z in flat)


@pytest.mark.parametrize("gate", ["pixel", "image"])
def test_ignored_pixels_have_no_gradient(gate):
    logits, weights, valid = batch()
    leaves = [z.requires_grad_() for z in logits]
    multi_scale_consistency(leaves, weights, valid, threshold=0.4, gate=gate).backward()
    for z in leaves:
        assert (z.grad.abs().sum(1) > 0).any()
        assert (z.grad.abs().sum(1)[~valid] == 0).all()
    nothing = multi_scale_consistency(leaves, weights, torch.zeros_like(valid), gate=gate)
    assert nothing == 0


def test_one_channel_counts_as_two_classes():
    logits, weights, valid = batch(classes=1)
    one = [z.clone().requires_grad_() for z in logits]
    two = [torch.cat([torch.zeros_like(z), z], 1).requires_grad_() for z in logits]
    values = [multi_scale_consistency(leaves, weights, valid, threshold=0.7) for leaves in (one, two)]
    sum(values).backward()
    assert values[0] > 0
    torch.testing.assert_close(*values)
    for z, both in zip(one, two, strict=True):
        torch.testing.assert_close(z.grad, both.grad[:, 1:])


@pytest.mark.parametrize(("piece", "gate"), [(1, "pixel"), (100, "pixel"), (10**6, "pixel"), (1, "image")])
def test_pieces_do_not_show(monkeypatch, piece, gate):
    logits, weights, valid = batch()
    leaves = [z.requires_grad_() for z in (weights, *logits)]
    gradients = []
    for size in (closed_form.PIECE, piece):
        monkeypatch.setattr(closed_form, "PIECE", size)
        value = multi_scale_consistency(leaves[1:], leaves[0], valid, threshold=0.6, gate=gate)
        gradients.append([value, *torch.autograd.grad(value, leaves)])
    torch.testing.assert_close(*gradients)


def test_volumes_and_rows_work_like_maps():
    logits, weights, valid = batch()
    value = multi_scale_consistency(logits, weights, valid)
    for shape in ((2, 3), ()):
        volumes = [z.reshape(2, 4, 5, *shape, *([6] if not shape else [])) for z in logits]
        assert multi_scale_consistency(volumes, weights, valid.reshape(2, *volumes[0].shape[2:])) == value
    rows = [z.permute(0, 2, 3, 1).reshape(-1, 4) for z in logits]
    torch.testing.assert_close(multi_scale_consistency(rows, weights, valid.flatten()), value)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_single(dtype):
    logits, weights, valid = batch(dtype=torch.float32)
    half = [z.to(dtype).requires_grad_() for z in logits]
    single = [z.detach().float().requires_grad_() for z in half]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = multi_scale_consistency(half, weights, valid)
    expected = multi_scale_consistency(single, weights, valid)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, expected)
    (65536 * value).backward()
    (65536 * expected).backward()
    for z, exact in zip(half, single, strict=True):
        torch.testing.assert_close(z.grad.float(), exact.grad, rtol=0.02, atol=1)


@pytest.mark.parametrize("gate", ["pixel", "image"])
def test_the_host_never_waits_for_the_device(gate):
    with FakeTensorMode(allow_non_fake_inputs=True):
        logits = [torch.randn(2, 4, 5, 6, requires_grad=True) for _ in range(3)]
        weights = ScaleWeights(3)
        multi_scale_consistency(logits, weights(), torch.rand(2, 5, 6) > 0.1, gate=gate).backward()
        assert logits[0].grad.shape == logits[0].shape
        assert weights.numbers.grad.shape == (3,)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("gate", ["pixel", "image"])
def test_cuda_gives_what_the_cpu_gives_without_a_wait(gate):
    logits, weights, valid = batch()
    results = []
    for device in ("cpu", "cuda"):
        leaves = [z.to(device).requires_grad_() for z in (weights, *logits)]
        on_device = valid.to(device)
        torch.cuda.set_sync_debug_mode("error")
        try:
            value = multi_scale_consistency(leaves[1:], leaves[0], on_device, gate=gate)
            value.backward()
        finally:
            torch.cuda.set_sync_debug_mode("default")
        results.append([value.cpu(), *(leaf.grad.cpu() for leaf in leaves)])
    torch.testing.assert_close(*results)


def test_weights_are_equal_at_first_and_can_be_learned():
    for learn in (True, False):
        weights = ScaleWeights(4, learn)
        torch.testing.assert_close(weights(), torch.full((4,), 0.25))
        assert [name for name, _ in weights.named_parameters()] == ["numbers"] * learn
        assert list(weights.state_dict()) == ["numbers"]


def test_what_does_not_fit_raises():
    logits, weights, valid = batch()
    for changes, message in [
        ({"gate": "batch"}, "gate: expected one of pixel, image, not 'batch'"),
        ({"divisor": "some"}, "divisor: expected one of valid, all, not 'some'"),
        ({"valid": valid[:1]}, "logits: expected K times"),
        ({"logits": [logits[0], logits[1][:, :2], logits[2]]}, "logits: expected K times"),
        ({"logits": []}, "logits: expected K times"),
        ({"weights": weights[:2]}, r"weights: expected \(3,\), one a scale, got \(2,\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            multi_scale_consistency(**{"logits": logits, "weights": weights, "valid": valid, **changes})
