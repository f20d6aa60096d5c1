# mmseg's DeepLabV3+; ignored pixels do not count in the mean of the loss.
_base_ = "mmseg::_base_/models/deeplabv3plus_r50-d8.py"
model = dict(
    decode_head=dict(loss_decode=dict(avg_non_ignore=True)),
    auxiliary_head=dict(loss_decode=dict(avg_non_ignore=True)),
)
