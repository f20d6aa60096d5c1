"""Every loss trains in mmseg's decode heads, in each form that it has."""

import runpy

import pytest
import torch

from noisyseg.losses.region import RegionLoss
from noisyseg.registry import MODELS

mmseg_models = pytest.importorskip("mmseg.models")

from mmengine.structures import PixelData  # noqa: E402
from mmseg.structures import SegDataSample  # noqa: E402


def pytest_generate_tests(metafunc):
    """Gives each test every row of the table of losses."""
    if "row" in metafunc.fixturenames:
        table = metafunc.config.rootpath / "tests" / "losses" / "canonical.py"
        rows = runpy.run_path(str(table))["CANONICAL"]
        ids = [", ".join(str(value) for value in row.values()).removeprefix("noisyseg.") for row in rows]
        metafunc.parametrize("row", rows, ids=ids)


@pytest.fixture(autouse=True)
def fixed_seed():
    torch.manual_seed(0)


def has_sigmoid_form(row):
    try:
        MODELS.build(dict(row, use_sigmoid=True))
    except ValueError as error:
        if "has no sigmoid form" not in str(error):
            raise
        return False
    return True


def fcn_head(loss, **settings):
    settings = {"num_classes": 4} | settings
    return mmseg_models.FCNHead(in_channels=3, channels=4, num_convs=1, norm_cfg=None, loss_decode=loss, **settings)


def samples(classes):
    """Returns two samples of 8 x 8 pixels with a label map of all classes, one row of it ignored."""
    labels = torch.randint(0, classes, (2, 1, 8, 8))
    labels[:, :, 0] = 255
    return [SegDataSample(gt_sem_seg=PixelData(data=data)) for data in labels]


def train_two_steps(module, losses, parameter):
    """Takes two steps and checks that the loss is finite and that its gradient reaches the parameter."""
    optimizer = torch.optim.SGD(module.parameters(), lr=0.01)
    for _ in range(2):
        before = parameter.detach().clone()
        optimizer.zero_grad()
        total, log = mmseg_models.EncoderDecoder.parse_losses(None, losses())
        total.backward()
        assert torch.isfinite(total)
        assert all(torch.isfinite(value) for value in log.values())
        assert torch.isfinite(parameter.grad).all()
        optimizer.step()
        assert (parameter != before).any()
    return log


@pytest.mark.parametrize(
    ("form", "settings"),
    [
        ("softmax", {}),
        ("sigmoid", {}),
        ("sigmoid", {"num_classes": 2, "out_channels": 1, "threshold": 0.5}),
    ],
    ids=["softmax", "sigmoid", "one-channel"],
)
def test_a_decode_head(row, form, settings):
    if form == "sigmoid":
        row = dict(row, use_sigmoid=True)
        if not has_sigmoid_form(row):
            with pytest.raises(ValueError, match="has no sigmoid form"):
                fcn_head(row, **settings)
            return
    head = fcn_head(row, **settings)
    features, batch = [torch.randn(2, 3, 4, 4)], samples(head.num_classes)
    train_two_steps(head, lambda: head.loss(features, batch, None), head.conv_seg.weight)


def test_a_list_of_losses_and_an_auxiliary_head(row):
    both = [dict(type="noisyseg.CrossEntropy", loss_name="loss_ce"), dict(row, loss_weight=0.5), row]
    settings = dict(type="mmseg.FCNHead", in_channels=2, channels=2, num_convs=1, num_classes=4, norm_cfg=None)
    model = mmseg_models.EncoderDecoder(
        backbone=dict(
            type="mmseg.UNet",
            base_channels=2,
            num_stages=2,
            strides=(1, 1),
            enc_num_convs=(1, 1),
            dec_num_convs=(1,),
            downsamples=(True,),
            enc_dilations=(1, 1),
            dec_dilations=(1,),
            norm_cfg=None,
            upsample_cfg=dict(type="mmseg.InterpConv"),
        ),
        decode_head=dict(settings, in_index=1, loss_decode=both),
        auxiliary_head=dict(settings, in_channels=4, in_index=0, loss_decode=row),
    )
    images, batch = torch.randn(2, 3, 8, 8), samples(4)
    first = next(model.backbone.parameters())
    log = train_two_steps(model, lambda: model.loss(images, batch), first)
    name = MODELS.build(row).loss_name
    assert {"decode.loss_ce", f"decode.{name}", f"aux.{name}"} < log.keys()


def test_a_batch_without_labels_has_loss_0_and_gradient_0(row):
    head = fcn_head(row)
    batch = [SegDataSample(gt_sem_seg=PixelData(data=torch.full((1, 8, 8), 255)))]
    losses = head.loss([torch.randn(1, 3, 4, 4)], batch, None)
    total, _ = mmseg_models.EncoderDecoder.parse_losses(None, losses)
    total.backward()
    assert total == 0
    assert (head.conv_seg.weight.grad == 0).all()


@pytest.mark.parametrize("thresh", [0.3, None], ids=["probability", "loss"])
def test_the_weights_of_a_pixel_sampler(row, thresh):
    """OHEM keeps the hardest pixels, of low probability or of high loss, with weights (N, H, W) of 0 and 1."""
    head = fcn_head(row, sampler=dict(type="OHEMPixelSampler", thresh=thresh, min_kept=50))
    features, batch = [torch.randn(2, 3, 4, 4)], samples(4)
    if thresh is None and isinstance(MODELS.build(row), RegionLoss):  # has no loss of a pixel
        with pytest.raises((IndexError, ValueError), match=r"too many indices|needs mode='image'"):
            head.loss(features, batch, None)
        return
    train_two_steps(head, lambda: head.loss(features, batch, None), head.conv_seg.weight)
