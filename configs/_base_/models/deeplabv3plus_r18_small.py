# DeepLabV3+ for a CPU: 18 layers from random weights, a head a quarter as wide.
_base_ = "mmseg::_base_/models/deeplabv3plus_r50-d8.py"
norm_cfg = dict(type="mmengine.BN")
model = dict(
    data_preprocessor=dict(size_divisor=8, test_cfg=dict(size_divisor=8)),
    # To start from ImageNet: pretrained="open-mmlab://resnet18_v1c".
    pretrained=None,
    backbone=dict(depth=18, norm_cfg=norm_cfg),
    decode_head=dict(
        in_channels=512,
        channels=128,
        c1_in_channels=64,
        c1_channels=24,
        norm_cfg=norm_cfg,
        loss_decode=dict(avg_non_ignore=True),
    ),
    auxiliary_head=dict(in_channels=256, channels=64, norm_cfg=norm_cfg, loss_decode=dict(avg_non_ignore=True)),
)
