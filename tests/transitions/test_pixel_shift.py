import pytest
import torch

from noisyseg.transitions import PixelShiftField
from noisyseg.transitions.pixel_shift import normalized_image


def inputs(classes, size, batch=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(batch, 3, *size, generator=generator) * 255 - 100
    confident, labels = (torch.rand(batch, classes, *size, generator=generator) < 0.2 for _ in range(2))
    return image, confident, labels


def unsettled(classes, **settings):
    """Returns a network whose last layer is not at rest."""
    torch.manual_seed(0)
    network = PixelShiftField(classes, **settings)
    torch.nn.init.normal_(network.shift.weight)
    return network


def test_is_the_published_network():
    network = PixelShiftField(20)
    assert sum(parameter.numel() for parameter in network.parameters()) == 162_018
    assert network.full[0][0].in_channels == 43


def test_begins_without_a_shift_and_learns_then():
    network = PixelShiftField(3)
    field = network(*inputs(3, (16, 16)))
    assert field.shape == (2, 2, 16, 16)
    assert not field.any()
    field.sum().backward()
    assert network.shift.weight.grad.any()


@pytest.mark.parametrize("size", [(16, 24), (15, 23), (1, 1), (5, 2)])
@pytest.mark.parametrize("depth", [1, 2])
def test_takes_any_size(size, depth):
    field = unsettled(1, depth=depth).eval()(*inputs(1, size))
    assert field.shape == (2, 2, *size)
    assert field.dtype == torch.float32
    assert field.any()


@pytest.mark.parametrize("scale", [1.0, 1e6])
def test_never_shifts_farther_than_it_may(scale):
    network = unsettled(2, max_shift=3)
    network.shift.weight.data *= scale
    assert network(*inputs(2, (20, 20))).abs().max() <= 3


@pytest.mark.parametrize("depth", [1, 2])
def test_sees_as_far_as_it_says(depth):
    network = unsettled(1, depth=depth, max_shift=1).eval()
    image, confident, labels = inputs(1, (8, 96), batch=1)
    field, farthest = network(image, confident, labels), 0
    for column in range(40, 44 + depth):
        changed = labels.clone()
        changed[..., column] = ~changed[..., column]
        moved = (network(image, confident, changed) != field).any(dim=2)[0].any(dim=0).nonzero()
        farthest = max(farthest, column - int(moved.min()), int(moved.max()) - column)
    assert farthest == network.reach
    assert [PixelShiftField(1, depth=levels).reach for levels in (1, 2)] == [10, 22]


def test_no_gradient_leaves_to_the_inputs():
    image, confident, labels = inputs(2, (12, 12))
    image.requires_grad_()
    probability = confident.float().requires_grad_()
    unsettled(2)(image, probability, labels).sum().backward()
    assert image.grad is None
    assert probability.grad is None


def test_images_are_normalised_one_by_one():
    image = torch.stack([torch.full((3, 4, 4), 7.0), torch.arange(48.0).view(3, 4, 4)])
    found = normalized_image(image)
    assert not found[0].any()
    assert torch.equal(found[1], image[1] / 47)
    network = unsettled(1).eval()
    pair = inputs(1, (16, 16))
    alone = network(*(tensor[:1] for tensor in pair))
    torch.testing.assert_close(network(*pair)[:1], alone, atol=1e-5, rtol=1e-4)


def test_shifts_stay_float32_under_autocast():
    network = unsettled(1).eval()
    pair = inputs(1, (16, 16))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        field = network(*pair)
    assert field.dtype == torch.float32
    assert (field - network(*pair)).abs().max() < 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(num_classes=0), "num_classes: expected"),
        (dict(num_classes=1, depth=0), "depth: expected"),
        (dict(num_classes=1, max_shift=11), r"max_shift: expected pixels in \(0, 10\]"),
        (dict(num_classes=1, max_shift=0), "max_shift: expected"),
    ],
)
def test_wrong_settings_say_what_was_expected(settings, message):
    with pytest.raises(ValueError, match=message):
        PixelShiftField(**settings)


def test_wrong_shapes_say_what_was_expected():
    image, confident, labels = inputs(2, (8, 8))
    with pytest.raises(ValueError, match=r"labels \(B, 3, H, W\)"):
        PixelShiftField(3)(image, confident, labels)
    with pytest.raises(ValueError, match="expected image"):
        PixelShiftField(2)(image[..., :4], confident, labels)
