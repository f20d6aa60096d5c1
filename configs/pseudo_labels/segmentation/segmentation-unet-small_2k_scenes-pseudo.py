# Trains on the pseudo labels as they are: what the iterative learning has to beat.
_base_ = [
    "../../_base_/models/unet_small.py",
    "../../_base_/datasets/scenes_pseudo.py",
    "../../_base_/schedules/adamw_2k.py",
    "../../_base_/runtime/mmseg.py",
]
model = dict(decode_head=dict(num_classes=2))
optim_wrapper = dict(optimizer=dict(lr=4e-3))
