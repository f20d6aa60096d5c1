"""A U-Net small enough to train within a test."""

import pytest


@pytest.fixture
def small_unet():
    """Return a function that returns its config, for three classes; ``head`` replaces settings of the decode head."""

    def build(norm=None, **head):
        norm = norm or dict(type="mmengine.BN")
        return dict(
            type="mmseg.EncoderDecoder",
            backbone=dict(
                type="mmseg.UNet",
                base_channels=4,
                num_stages=2,
                strides=(1, 1),
                enc_num_convs=(1, 1),
                dec_num_convs=(1,),
                downsamples=(True,),
                enc_dilations=(1, 1),
                dec_dilations=(1,),
                norm_cfg=norm,
            ),
            decode_head=dict(
                type="mmseg.FCNHead",
                in_channels=4,
                in_index=1,
                channels=4,
                num_convs=1,
                num_classes=3,
                dropout_ratio=0.1,
                norm_cfg=norm,
                align_corners=False,
                loss_decode=dict(type="noisyseg.CrossEntropy"),
            )
            | head,
            test_cfg=dict(mode="whole"),
        )

    return build
