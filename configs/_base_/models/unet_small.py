# U-Net for a CPU: four stages of 24 to 192 channels from half the image's size down, no auxiliary head.
_base_ = "mmseg::_base_/models/fcn_unet_s5-d16.py"
norm_cfg = dict(type="mmengine.BN")
model = dict(
    data_preprocessor=dict(size_divisor=16, test_cfg=dict(size_divisor=16)),
    backbone=dict(
        base_channels=24,
        num_stages=4,
        strides=(2, 1, 1, 1),
        enc_num_convs=(2, 2, 2, 2),
        dec_num_convs=(2, 2, 2),
        downsamples=(True, True, True),
        enc_dilations=(1, 1, 1, 1),
        dec_dilations=(1, 1, 1),
        norm_cfg=norm_cfg,
    ),
    decode_head=dict(in_channels=24, in_index=3, channels=24, norm_cfg=norm_cfg, loss_decode=dict(avg_non_ignore=True)),
    auxiliary_head=None,
    test_cfg=dict(_delete_=True, mode="whole"),
)
