import math
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from noisyseg.losses import CrossEntropy, PixelELR, SoftTargets, early_learning_regularizer, elr
from noisyseg.registry import MODELS

TEACHER = dict(type="noisyseg.TeacherTargets")


def by_autograd(logits, soft_targets):
    """The regularizer, written down for autograd: the oracle of the closed form."""
    probs = logits.softmax(1).clamp(1e-4, 1 - 1e-4)
    target = logits.softmax(1).detach() if soft_targets is None else soft_targets
    return torch.log(1 - (target * probs).sum(1))


def map_batch(classes=4, dtype=torch.float64, spread=1.0):
    generator = torch.Generator().manual_seed(0)
    logits = spread * torch.randn(2, classes, 5, 6, generator=generator, dtype=dtype)
    labels = torch.randint(0, classes, (2, 5, 6), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < 0.2] = 255
    soft = torch.randn(2, classes, 5, 6, generator=generator, dtype=dtype).softmax(1)
    return logits, labels, soft


def gradient(function, logits):
    logits = logits.clone().requires_grad_()
    function(logits).backward()
    return logits.grad


def samples_with(teacher_logits):
    return [SimpleNamespace(teacher_logits=SimpleNamespace(data=image)) for image in teacher_logits]


@pytest.mark.parametrize(("label", "expected"), [(0, -2.7148), (2, 0.2852)])
def test_golden_values_of_the_catalogue(label, expected):
    loss = PixelELR(strength=3, reduction="none")
    logits, labels = torch.tensor([[2.0, 0.0, -1.0]], dtype=torch.float64), torch.tensor([label])
    value = loss(logits, labels, soft_targets=torch.tensor([[0.7, 0.2, 0.1]]))
    assert value.item() == pytest.approx(expected, abs=1e-4)
    classes = torch.tensor([[2, 0, 1]])
    value = loss(logits, labels, soft_targets=torch.tensor([[0.1, 0.7, 0.2]]), target_classes=classes)
    assert value.item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("own", [False, True], ids=["given", "own"])
@pytest.mark.parametrize("chunk", [1, 1 << 21], ids=["image by image", "at once"])
@pytest.mark.parametrize("spread", [1.0, 8.0], ids=["unsure", "clamped"])
def test_values_and_gradient_are_those_of_autograd(monkeypatch, own, chunk, spread):
    monkeypatch.setattr(elr, "CHUNK", chunk)
    logits, _, soft = map_batch(spread=spread)
    soft = None if own else soft
    upstream = torch.linspace(-1, 2, 60, dtype=torch.float64).reshape(2, 5, 6)
    torch.testing.assert_close(early_learning_regularizer(logits, soft), by_autograd(logits, soft))
    torch.testing.assert_close(
        gradient(lambda z: (upstream * early_learning_regularizer(z, soft)).sum(), logits),
        gradient(lambda z: (upstream * by_autograd(z, soft)).sum(), logits),
    )


def test_some_classes_are_a_target_with_zeros_elsewhere():
    logits, _, soft = map_batch(classes=6, spread=4.0)
    top, classes = soft.topk(3, dim=1)
    full = torch.zeros_like(soft).scatter(1, classes, top)
    torch.testing.assert_close(
        early_learning_regularizer(logits, top, classes), early_learning_regularizer(logits, full)
    )
    torch.testing.assert_close(
        gradient(lambda z: early_learning_regularizer(z, top, classes).sum(), logits),
        gradient(lambda z: early_learning_regularizer(z, full).sum(), logits),
    )


def test_gradient_in_double():
    logits, labels, soft = map_batch()
    weight = torch.linspace(0, 1, 60, dtype=torch.float64).reshape(2, 5, 6)
    loss = PixelELR(strength=2)
    more = {"soft_targets": soft, "target_weight": weight}
    assert torch.autograd.gradcheck(lambda z: loss(z, labels, weight=1 + weight, **more), logits.requires_grad_())
    binary = PixelELR(strength=2, use_sigmoid=True)
    assert torch.autograd.gradcheck(lambda z: binary(z, labels, **more), logits)


def test_a_certain_prediction_has_the_lowest_value_and_no_gradient():
    logits = torch.tensor([[100.0, 0.0, -100.0]], requires_grad=True)
    value = early_learning_regularizer(logits, torch.tensor([[1.0, 0.0, 0.0]]))
    assert value.item() == pytest.approx(math.log(1e-4), abs=1e-3)
    value.backward()
    assert (logits.grad == 0).all()


@pytest.mark.parametrize("form", ["softmax", "sigmoid"])
@pytest.mark.parametrize("scale", [100.0, -100.0])
def test_logits_of_100_give_a_finite_loss_and_gradient(form, scale):
    _, labels, soft = map_batch(dtype=torch.float32)
    loss = PixelELR(use_sigmoid=form == "sigmoid")
    logits = torch.zeros(2, 4, 5, 6)
    logits[:, 1], logits[:, 2] = scale, -scale
    for more in (
        {},
        {"soft_targets": soft},
        {"soft_targets": F.one_hot(soft.argmax(1), 4).permute(0, 3, 1, 2).float()},
    ):
        assert torch.isfinite(loss(logits, labels, **more))
        assert torch.isfinite(gradient(lambda z, more=more: loss(z, labels, **more), logits)).all()


@pytest.mark.parametrize("off", [{"strength": 0}, {"warm_up": 1}, {"ramp": 5}])
def test_before_it_starts_it_is_cross_entropy(off):
    logits, labels, soft = map_batch()
    torch.testing.assert_close(PixelELR(**off)(logits, labels, soft_targets=soft), CrossEntropy()(logits, labels))
    torch.testing.assert_close(
        gradient(lambda z: PixelELR(**off)(z, labels, soft_targets=soft), logits),
        gradient(lambda z: CrossEntropy()(z, labels), logits),
    )


def test_strength_waits_then_rises_and_the_count_is_in_the_state():
    logits, labels, soft = map_batch()
    term = PixelELR()(logits, labels, soft_targets=soft) - CrossEntropy()(logits, labels)
    loss = PixelELR(strength=2, warm_up=2, ramp=4)

    def share():
        value = loss(logits, labels, soft_targets=soft)
        return ((value - CrossEntropy()(logits, labels)) / (2 * term)).item()

    assert [share() for _ in range(5)] == pytest.approx([0, 0, 0, 0.25, 0.5])
    resumed = PixelELR(strength=2, warm_up=2, ramp=4)
    resumed.load_state_dict(loss.state_dict())
    loss = resumed.eval()
    assert [share() for _ in range(2)] == pytest.approx([0.75, 0.75])
    loss.train()
    assert [share() for _ in range(3)] == pytest.approx([0.75, 1, 1])
    assert loss.iteration == 8


@pytest.mark.parametrize("form", ["softmax", "sigmoid"])
def test_ignored_pixels_count_in_neither_term(form):
    logits, labels, soft = map_batch()
    loss = PixelELR(use_sigmoid=form == "sigmoid")
    ignored = (labels == 255)[:, None]
    changed = torch.where(ignored, 5 * torch.randn_like(logits), logits)
    other = torch.where(ignored, 1 / 4, soft)
    torch.testing.assert_close(
        loss(changed, labels, soft_targets=other), loss(logits, labels, soft_targets=soft), rtol=1e-12, atol=0
    )
    grads = gradient(lambda z: loss(z, labels, soft_targets=soft), logits)
    assert (grads[ignored.expand_as(grads)] == 0).all()
    nothing = gradient(lambda z: loss(z, torch.full_like(labels, 255), soft_targets=soft), logits)
    assert (nothing == 0).all()


def test_where_there_is_no_target_there_is_cross_entropy():
    logits, labels, soft = map_batch()
    known = (torch.arange(6) < 3).expand(2, 5, 6).double()
    alone, with_target = PixelELR(reduction="none", strength=0), PixelELR(reduction="none")
    value = with_target(logits, labels, soft_targets=soft, target_weight=known)
    both = with_target(logits, labels, soft_targets=soft)
    torch.testing.assert_close(value, torch.where(known > 0, both, alone(logits, labels)))


def test_weights_count_for_both_terms():
    logits, labels, soft = map_batch()
    weight = torch.rand(labels.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    values = PixelELR(reduction="none")(logits, labels, soft_targets=soft)
    expected = (weight * values).sum() / weight[labels != 255].sum()
    torch.testing.assert_close(PixelELR()(logits, labels, weight=weight, soft_targets=soft), expected)


def test_a_sigmoid_is_a_softmax_over_two_classes():
    logits, labels, soft = map_batch(classes=2)
    one = (logits[:, 1:] - logits[:, :1]).clone()
    value = PixelELR(use_sigmoid=True)(one, labels, soft_targets=soft[:, 1:])
    torch.testing.assert_close(value, PixelELR()(logits, labels, soft_targets=soft))
    torch.testing.assert_close(PixelELR(use_sigmoid=True)(one, labels), PixelELR()(logits, labels))
    masks = (labels == 1).double()
    half = 0.5 * (PixelELR(use_sigmoid=True)(one, masks[:, None]) + PixelELR(use_sigmoid=True)(one, 1 - masks[:, None]))
    torch.testing.assert_close(PixelELR(use_sigmoid=True)(one, torch.full_like(one, 0.5)), half)


def test_boxes_have_their_own_prediction_as_target():
    logits, labels = torch.randn(7, 4, dtype=torch.float64), torch.tensor([0, 1, 2, 3, 0, 1, 2])
    weight = torch.tensor([1.0, 0, 1, 1, 2, 1, 1])
    expected = weight * (F.cross_entropy(logits, labels, reduction="none") + by_autograd(logits, None))
    torch.testing.assert_close(PixelELR()(logits, labels, weight, avg_factor=5), expected.sum() / 5)
    masks = (torch.rand(3, 6, 6) > 0.5).long()
    value = PixelELR(use_mask=True)(torch.randn(3, 4, 6, 6), masks, torch.tensor([0, 3, 1]))
    assert torch.isfinite(value)


def test_autocast_computes_in_single_precision():
    logits, labels, soft = map_batch(dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = PixelELR()(logits.bfloat16(), labels, soft_targets=soft)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, PixelELR()(logits.bfloat16().float(), labels, soft_targets=soft))


def test_teacher_targets_come_from_the_samples():
    logits, labels, _ = map_batch(dtype=torch.float32)
    teacher = torch.randn(logits.shape, generator=torch.Generator().manual_seed(5))
    loss = PixelELR(targets=TEACHER)
    context = loss.context(logits.requires_grad_(), samples_with(teacher.bfloat16()))
    torch.testing.assert_close(context["soft_targets"], teacher.bfloat16().float().softmax(1))
    torch.testing.assert_close(
        loss(logits, labels, **context), PixelELR()(logits, labels, soft_targets=context["soft_targets"])
    )
    binary = PixelELR(targets=TEACHER, use_sigmoid=True).context(logits, samples_with(teacher))
    torch.testing.assert_close(binary["soft_targets"], teacher.sigmoid())
    assert PixelELR().context(logits, samples_with(teacher)) == {}


def test_teacher_targets_that_are_not_there_raise():
    logits, labels, _ = map_batch(dtype=torch.float32)
    loss = PixelELR(targets=TEACHER)
    with pytest.raises(ValueError, match=r"noisyseg\.NoiseAwareHead"):
        loss(logits, labels)
    with pytest.raises(ValueError, match=r"noisyseg\.TeacherStudentSegmentor"):
        loss.context(logits, [SimpleNamespace(), SimpleNamespace()])
    with pytest.raises(ValueError, match=r"teacher logits \(2, 4, 5, 6\)"):
        loss.context(logits, samples_with(logits[..., :3]))


def test_bad_input_raises():
    logits, labels, soft = map_batch()
    for more, message in [
        ({"soft_targets": soft[:, :3]}, r"soft_targets: expected float \(2, 4, 5, 6\)"),
        ({"soft_targets": soft.long()}, "soft_targets: expected float"),
        ({"soft_targets": soft, "target_classes": labels}, "soft_targets: expected float"),
        ({"soft_targets": soft[0], "target_classes": soft[0].long()}, r"classes: expected int64 \(N, M, ...\)"),
        ({"target_classes": labels}, "expected soft_targets"),
        ({"soft_targets": soft, "target_weight": -torch.ones(2, 5, 6)}, "target_weight: expected finite values >= 0"),
        ({"soft_targets": 2 * soft}, r"soft_targets: expected values in \[0, 1\]"),
        ({"soft_targets": torch.ones_like(soft)}, "NaN or infinite"),
    ]:
        with pytest.raises(ValueError, match=message):
            PixelELR()(logits, labels, **more)
    with pytest.raises(ValueError, match="NaN or infinite"):
        PixelELR()(logits * torch.nan, labels, soft_targets=soft)
    with pytest.raises(ValueError, match="the sigmoid form has none"):
        PixelELR(use_sigmoid=True)(logits, labels, soft_targets=soft, target_classes=soft.long())


def test_bad_settings_raise():
    for settings, message in [
        ({"strength": -1}, "strength: expected a finite number >= 0"),
        ({"warm_up": 1.5}, "warm_up: expected a whole number"),
        ({"ramp": -1}, "ramp: expected a whole number"),
        ({"targets": TEACHER, "use_mask": True}, "TeacherTargets has none for use_mask"),
        ({"targets": dict(type=NoSigmoid), "use_sigmoid": True}, "NoSigmoid has none for the sigmoid form"),
    ]:
        with pytest.raises(ValueError, match=message):
            MODELS.build(dict(type="noisyseg.PixelELR", **settings))


class NoSigmoid(SoftTargets):
    def __call__(self, logits, samples, *, sigmoid, ignore_index, training):
        raise NotImplementedError
