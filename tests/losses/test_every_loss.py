"""What holds for every loss: gradients, extreme logits, ignored and weighted elements, and the errors."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

import noisyseg.losses
from noisyseg.losses import ElementwiseLoss, closed_form
from noisyseg.losses.base import HeadLoss
from noisyseg.ops import checks
from noisyseg.registry import MODELS

CANONICAL = runpy.run_path(str(Path(__file__).with_name("canonical.py")))["CANONICAL"]
IDS = [", ".join(str(value) for value in row.values()).removeprefix("noisyseg.") for row in CANONICAL]
every_loss = pytest.mark.parametrize("row", CANONICAL, ids=IDS)


def build(row, **settings):
    return MODELS.build(dict(row, **settings))


def build_sigmoid(row):
    loss = MODELS.get(row["type"])
    if "sigmoid" not in loss.forms:
        with pytest.raises(ValueError, match="has no sigmoid form"):
            build(row, use_sigmoid=True)
        pytest.skip(f"{row['type']} has no sigmoid form, and says so")
    return build(row, use_sigmoid=True)


def map_batch(size=(5, 6), dtype=torch.float64, ignored=0.2):
    """Returns logits (2, 4, H, W) and labels (2, H, W), some of them 255."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 4, *size, generator=generator, dtype=dtype)
    labels = torch.randint(0, 4, (2, *size), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < ignored] = 255
    return logits, labels


def gradient(loss, logits, labels, **more):
    logits = logits.clone().requires_grad_()
    loss(logits, labels, **more).backward()
    return logits.grad


def test_every_registered_loss_is_in_the_table():
    registered = {
        name
        for name in noisyseg.losses.__all__
        if isinstance(getattr(noisyseg.losses, name), type)
        and issubclass(getattr(noisyseg.losses, name), HeadLoss)
        and getattr(noisyseg.losses, name) is not ElementwiseLoss
    }
    outside = {name for name in registered if getattr(getattr(noisyseg.losses, name), "own_tests", False)}
    assert {row["type"].removeprefix("noisyseg.") for row in CANONICAL} == registered - outside


@every_loss
def test_gradient_in_double(row):
    if getattr(MODELS.get(row["type"]), "detaches", False):
        pytest.skip("a part of the value counts as a constant in the gradient, which a test of its own checks")
    loss = build(row)
    logits, labels = map_batch(size=(2, 3))
    assert torch.autograd.gradcheck(lambda z: loss(z, labels), logits.requires_grad_())


@every_loss
def test_gradient_in_double_sigmoid(row):
    loss = build_sigmoid(row)
    logits, labels = map_batch(size=(2, 3))
    assert torch.autograd.gradcheck(lambda z: loss(z, labels), logits.requires_grad_())


@every_loss
@pytest.mark.parametrize("scale", [100.0, -100.0])
def test_logits_of_100_give_a_finite_loss_and_gradient(row, scale):
    loss = build(row)
    _, labels = map_batch()
    for confident in range(4):
        logits = torch.zeros(2, 4, 5, 6)
        logits[:, confident] = scale
        logits[:, (confident + 1) % 4] = -scale
        assert torch.isfinite(loss(logits, labels))
        assert torch.isfinite(gradient(loss, logits, labels)).all()


@every_loss
@pytest.mark.parametrize("scale", [100.0, -100.0])
def test_logits_of_100_give_a_finite_loss_and_gradient_sigmoid(row, scale):
    loss = build_sigmoid(row)
    _, labels = map_batch()
    logits = torch.full((2, 4, 5, 6), scale)
    assert torch.isfinite(loss(logits, labels))
    assert torch.isfinite(gradient(loss, logits, labels)).all()


@every_loss
def test_ignored_pixels_do_not_matter(row):
    loss = build(row)
    logits, labels = map_batch()
    changed = torch.where((labels == 255)[:, None], logits + 3 * torch.randn_like(logits), logits)
    torch.testing.assert_close(loss(changed, labels), loss(logits, labels))
    grads = gradient(loss, logits, labels)
    assert (grads.abs().sum(1)[labels == 255] == 0).all()
    torch.testing.assert_close(gradient(loss, changed, labels), grads)


@every_loss
def test_another_ignored_label_gives_the_same(row):
    loss = build(row)
    logits, labels = map_batch()
    with_254 = torch.where(labels == 255, 254, labels)
    torch.testing.assert_close(loss(logits, with_254, ignore_index=254), loss(logits, labels))


@every_loss
@pytest.mark.parametrize("form", ["softmax", "sigmoid"])
def test_nothing_to_learn_from_gives_zero_with_gradient(row, form):
    loss = build(row) if form == "softmax" else build_sigmoid(row)
    logits, labels = map_batch()
    for z, y, weight in [
        (logits, torch.full_like(labels, 255), None),
        (logits, labels, torch.zeros(labels.shape)),
        (logits[:0], labels[:0], None),
    ]:
        z = z.clone().requires_grad_()
        value = loss(z, y, weight=weight)
        value.backward()
        assert value == 0
        assert z.grad.shape == z.shape
        assert (z.grad == 0).all()


@every_loss
def test_a_weight_of_zero_is_an_ignored_pixel(row):
    loss = build(row)
    logits, labels = map_batch(ignored=0)
    off = torch.rand(labels.shape, generator=torch.Generator().manual_seed(3)) < 0.3
    ignored = torch.where(off, 255, labels)
    torch.testing.assert_close(loss(logits, labels, weight=(~off).double()), loss(logits, ignored))


@every_loss
def test_a_constant_weight_changes_nothing(row):
    loss = build(row)
    logits, labels = map_batch()
    constant = torch.full(labels.shape, 0.3, dtype=torch.float64)
    torch.testing.assert_close(loss(logits, labels, weight=constant), loss(logits, labels), rtol=1e-4, atol=1e-6)
    images = torch.full((2,), 0.3, dtype=torch.float64)
    torch.testing.assert_close(loss(logits, labels, image_weight=images), loss(logits, labels), rtol=1e-4, atol=1e-6)


@every_loss
def test_an_image_weight_of_zero_leaves_the_image_out(row):
    loss = build(row)
    logits, labels = map_batch()
    alone = loss(logits[:1], labels[:1])
    torch.testing.assert_close(loss(logits, labels, image_weight=torch.tensor([1.0, 0.0])), alone)


@every_loss
def test_autocast_gives_the_loss_of_single_precision(row):
    loss = build(row)
    logits, labels = map_batch(dtype=torch.float32)
    half = logits.bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(half, labels)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss(half.float(), labels))


@every_loss
@pytest.mark.parametrize("form", ["softmax", "sigmoid"])
def test_the_host_never_waits_for_the_device(row, form, monkeypatch):
    """On tensors without values, whatever brings a value to the host raises: ``item``, ``bool``, ``nonzero``, masks."""
    loss = build(row) if form == "softmax" else build_sigmoid(row)
    monkeypatch.setattr(checks, "bool", lambda _: True, raising=False)  # the checks wait on the CPU alone
    with FakeTensorMode(allow_non_fake_inputs=True):
        logits = torch.randn(2, 4, 5, 6, requires_grad=True)
        labels = torch.randint(0, 4, (2, 5, 6))
        loss(logits, labels, weight=torch.rand(2, 5, 6), image_weight=torch.rand(2)).backward()
        assert logits.grad.shape == logits.shape


@every_loss
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_gives_what_the_cpu_gives_without_a_wait(row):
    loss = build(row)
    logits, labels = map_batch(dtype=torch.float32)
    value, grads = loss(logits, labels), gradient(loss, logits, labels)
    loss, logits, labels = build(row).cuda(), logits.cuda().requires_grad_(), labels.cuda()
    torch.cuda.set_sync_debug_mode("error")
    try:
        on_cuda = loss(logits, labels)
        on_cuda.backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(on_cuda.cpu(), value)
    torch.testing.assert_close(logits.grad.cpu(), grads)


@every_loss
@pytest.mark.parametrize("form", ["softmax", "sigmoid"])
def test_a_batch_may_be_computed_in_pieces(row, form, monkeypatch):
    loss = build(row) if form == "softmax" else build_sigmoid(row)
    logits, labels = map_batch()
    value, grads = loss(logits, labels), gradient(loss, logits, labels)
    monkeypatch.setattr(closed_form, "PIECE", 8)
    torch.testing.assert_close(loss(logits, labels), value)
    torch.testing.assert_close(gradient(loss, logits, labels), grads)


@every_loss
def test_a_volume_equals_its_slices_side_by_side(row):
    if getattr(MODELS.get(row["type"]), "spatial", False):
        pytest.skip("looks at neighbouring pixels")
    loss = build(row)
    logits, labels = map_batch()
    volume, volume_labels = logits.reshape(2, 4, 5, 2, 3), labels.reshape(2, 5, 2, 3)
    torch.testing.assert_close(loss(volume, volume_labels), loss(logits, labels))


@every_loss
def test_classes_have_no_order(row):
    if {"transition", "class_weight", "matrix", "background_index"} & row.keys():
        pytest.skip("has a setting for each class")
    loss = build(row)
    logits, labels = map_batch()
    order = torch.tensor([2, 0, 3, 1])
    renamed = torch.where(labels == 255, 255, torch.argsort(order)[labels.clamp(max=3)])
    torch.testing.assert_close(loss(logits[:, order], renamed), loss(logits, labels))


@every_loss
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda z, y: (z, torch.where(y == 255, 7, y), {}), "labels in 0..3"),
        (lambda z, y: (z, y - 1, {}), "labels in 0..3"),
        (lambda z, y: (z, y.double(), {}), "integer labels"),
        (lambda z, y: (z, y[:, :3], {}), r"logits \(N, K, ...\) and labels \(N, ...\)"),
        (lambda z, y: (z * torch.nan, y, {}), "NaN or infinite"),
        (lambda z, y: (z, y, {"weight": -torch.ones(y.shape)}), "weight: expected finite values >= 0"),
        (lambda z, y: (z, y, {"weight": torch.ones(y.shape) * np.nan}), "weight: expected finite values >= 0"),
        (lambda z, y: (z, y, {"weight": torch.ones(3)}), "weight: expected the shape"),
        (lambda z, y: (z, y, {"image_weight": torch.ones(3)}), r"image_weight: expected \(2,\)"),
        (lambda z, y: (z, y, {"image_weight": -torch.ones(2)}), "image_weight: expected finite values >= 0"),
    ],
)
def test_bad_input_raises(row, change, message):
    logits, labels, more = change(*map_batch())
    with pytest.raises(ValueError, match=message):
        build(row)(logits, labels, **more)


@every_loss
def test_bad_settings_raise(row):
    with pytest.raises(ValueError, match="reduction: expected one of mean, sum, none"):
        build(row, reduction="median")
    with pytest.raises(ValueError, match="expected 'loss' in it"):
        build(row, loss_name="gce")
    with pytest.raises(ValueError, match="class_weight: expected finite values >= 0"):
        build(row, class_weight=[-1.0, 1.0, 1.0, 1.0])
