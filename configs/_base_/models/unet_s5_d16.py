# mmseg's U-Net; ignored pixels do not count in the mean of the loss.
_base_ = "mmseg::_base_/models/fcn_unet_s5-d16.py"
model = dict(
    decode_head=dict(loss_decode=dict(avg_non_ignore=True)),
    auxiliary_head=dict(loss_decode=dict(avg_non_ignore=True)),
)
