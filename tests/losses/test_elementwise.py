"""The contract with the heads, on cross entropy: against PyTorch's own functions."""

import pytest
import torch
import torch.nn.functional as F

from noisyseg.losses import CrossEntropy

GENERATOR = torch.Generator().manual_seed(0)
MAPS = torch.randn(2, 3, 4, 5, generator=GENERATOR, dtype=torch.float64)
LABELS = torch.randint(0, 3, (2, 4, 5), generator=GENERATOR)
BOXES = torch.randn(9, 4, generator=GENERATOR, dtype=torch.float64)


def test_maps_equal_torch():
    ignored = torch.where(torch.rand(LABELS.shape, generator=GENERATOR) < 0.3, 255, LABELS)
    expected = F.cross_entropy(MAPS, ignored, ignore_index=255)
    torch.testing.assert_close(CrossEntropy()(MAPS, ignored), expected)


def test_class_weights_equal_torch():
    weights = [0.5, 2.0, 0.0]
    expected = F.cross_entropy(MAPS, LABELS, weight=torch.tensor(weights, dtype=torch.float64))
    torch.testing.assert_close(CrossEntropy(class_weight=weights)(MAPS, LABELS), expected)


def test_one_hot_sigmoid_equals_torch():
    target = F.one_hot(LABELS, 3).permute(0, 3, 1, 2).double()
    loss = CrossEntropy(use_sigmoid=True, class_weight=[1.0, 2.0, 3.0])
    weight = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64).reshape(1, 3, 1, 1).expand_as(target)
    expected = F.binary_cross_entropy_with_logits(MAPS, target, weight=weight, reduction="sum") / weight.sum()
    torch.testing.assert_close(loss(MAPS, LABELS), expected)


def test_one_channel_takes_the_labels_0_and_1():
    binary = LABELS.clamp(max=1)
    expected = F.binary_cross_entropy_with_logits(MAPS[:, :1], binary[:, None].double())
    torch.testing.assert_close(CrossEntropy(use_sigmoid=True)(MAPS[:, :1], binary), expected)
    with pytest.raises(ValueError, match=r"labels in 0..1 or the ignored one, not 0 to 2"):
        CrossEntropy(use_sigmoid=True)(MAPS[:, :1], LABELS)


def test_boxes_in_the_sigmoid_form_have_a_background_without_channel():
    labels = torch.tensor([0, 1, 2, 3, 4, 4, 4, 5, 0])
    target = F.one_hot(labels, 6)[:, :4].double()
    expected = F.binary_cross_entropy_with_logits(BOXES, target, reduction="sum") / 7
    torch.testing.assert_close(CrossEntropy(use_sigmoid=True)(BOXES, labels, torch.ones(9), 7), expected)


def test_boxes_may_have_a_class_255():
    logits = torch.zeros(2, 300)
    assert CrossEntropy()(logits, torch.tensor([255, 1])) == pytest.approx(float(torch.tensor(300.0).log()))
    assert CrossEntropy(ignore_index=255, reduction="sum")(logits, torch.tensor([255, 255])) == 0


def test_mask_heads_use_the_channel_of_the_class():
    masks = (torch.rand(2, 4, 5, generator=GENERATOR) < 0.5).float()
    classes = torch.tensor([2, 0])
    expected = F.binary_cross_entropy_with_logits(MAPS[[0, 1], [2, 0]], masks.double())
    torch.testing.assert_close(CrossEntropy(use_mask=True)(MAPS, masks, classes), expected)
    one = CrossEntropy(use_mask=True)(MAPS[:, :1], masks, torch.tensor([7, 7]))  # class-agnostic
    torch.testing.assert_close(one, F.binary_cross_entropy_with_logits(MAPS[:, 0], masks.double()))
    with pytest.raises(ValueError, match=r"labels in 0..2 or the ignored one, not 0 to 3"):
        CrossEntropy(use_mask=True)(MAPS, masks, torch.tensor([3, 0]))
    with pytest.raises(ValueError, match="expected the classes"):
        CrossEntropy(use_mask=True)(MAPS, masks)


@pytest.mark.parametrize("shape", [(7,), (3, 5), (2, 3, 4, 5)])
def test_targets_of_the_shape_of_the_logits_may_be_soft(shape):
    logits = torch.randn(shape, generator=GENERATOR, dtype=torch.float64)
    target = torch.rand(shape, generator=GENERATOR, dtype=torch.float64)
    weight = torch.rand(shape, generator=GENERATOR, dtype=torch.float64)
    expected = F.binary_cross_entropy_with_logits(logits, target, weight=weight, reduction="sum") / 11
    torch.testing.assert_close(CrossEntropy(use_sigmoid=True)(logits, target, weight, avg_factor=11), expected)
    with pytest.raises(ValueError, match=r"targets in \[0, 1\], not"):
        CrossEntropy(use_sigmoid=True)(logits, target + 1)


def test_weights_of_pixels_and_images_multiply():
    weight = torch.rand(LABELS.shape, generator=GENERATOR, dtype=torch.float64)
    images = torch.tensor([0.5, 2.0], dtype=torch.float64)
    values = F.cross_entropy(MAPS, LABELS, reduction="none")
    both = weight * images[:, None, None]
    torch.testing.assert_close(
        CrossEntropy()(MAPS, LABELS, weight, image_weight=images), (values * both).sum() / both.sum()
    )
    torch.testing.assert_close(CrossEntropy()(MAPS, LABELS, weight[:, None]), CrossEntropy()(MAPS, LABELS, weight))


def test_none_keeps_the_elements():
    ignored = torch.where(LABELS == 1, 255, LABELS)
    values = CrossEntropy(reduction="none", loss_weight=2.0)(MAPS, ignored)
    torch.testing.assert_close(values, 2 * F.cross_entropy(MAPS, ignored, ignore_index=255, reduction="none"))
    torch.testing.assert_close(CrossEntropy()(MAPS, ignored, reduction_override="none"), values / 2)


def test_the_name_says_which_loss_it_is():
    assert CrossEntropy().loss_name == "loss_cross_entropy"


def test_class_weights_of_the_wrong_number_raise():
    with pytest.raises(ValueError, match="class_weight: expected 3 weights, one a channel, not 2"):
        CrossEntropy(class_weight=[1.0, 1.0])(MAPS, LABELS)
    with pytest.raises(ValueError, match="no meaning with use_mask"):
        CrossEntropy(use_mask=True, class_weight=[1.0])


def test_instances_can_have_one_value_each():
    masks = (torch.rand(2, 4, 5, generator=GENERATOR) < 0.5).double()
    loss = CrossEntropy(use_sigmoid=True, per_instance=True)
    values = F.binary_cross_entropy_with_logits(MAPS[:, 0], masks, reduction="none")
    means = values.mean((1, 2))
    torch.testing.assert_close(loss(MAPS[:, 0], masks, reduction_override="none"), means)
    torch.testing.assert_close(loss(MAPS[:, 0], masks, avg_factor=7), means.sum() / 7)
    weight = torch.rand(masks.shape, generator=GENERATOR, dtype=torch.float64)
    weight[1, :2] = 0
    counted = torch.tensor([20, 10])
    weighted = (values * weight).sum((1, 2)) / counted
    torch.testing.assert_close(loss(MAPS[:, 0], masks, weight, reduction_override="none"), weighted)
    images = torch.tensor([1.0, 3.0], dtype=torch.float64)
    torch.testing.assert_close(loss(MAPS[:, 0], masks, image_weight=images), (images * means).sum() / 4)
    assert loss(MAPS[:0, 0], masks[:0]) == 0
    with pytest.raises(ValueError, match="class_weight: expected one number a class"):
        CrossEntropy(class_weight=[])


def test_what_is_no_tensor_and_no_logit_raises():
    loss = CrossEntropy()
    with pytest.raises(TypeError, match="target: expected a tensor, not ndarray"):
        loss(MAPS, LABELS.numpy())
    with pytest.raises(TypeError, match="weight: expected a tensor, not float"):
        loss(MAPS, LABELS, 2.0)
    with pytest.raises(TypeError, match=r"expected floating-point logits, not torch\.int64"):
        loss(MAPS.long(), LABELS)
    with pytest.raises(ValueError, match="a single number"):
        CrossEntropy(use_sigmoid=True)(torch.tensor(1.0), torch.tensor(1.0))
    with pytest.raises(ValueError, match="expected integer labels"):
        loss(MAPS, LABELS.cfloat())
    with pytest.raises(ValueError, match="weight: expected finite values >= 0, not inf to inf"):
        loss(MAPS.float(), LABELS, torch.full(LABELS.shape, 1e300, dtype=torch.float64))
    with pytest.raises(ValueError, match="loss_weight: expected a finite number >= 0, not -1"):
        CrossEntropy(loss_weight=-1)


def test_settings_of_the_loss_in_a_base_config_are_named():
    with pytest.raises(TypeError, match=r"CrossEntropy has no setting avg_non_ignore; .* dict\(_delete_=True"):
        CrossEntropy(avg_non_ignore=True)
