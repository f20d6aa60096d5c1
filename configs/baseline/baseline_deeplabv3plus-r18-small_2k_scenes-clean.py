_base_ = [
    "../_base_/models/deeplabv3plus_r18_small.py",
    "../_base_/datasets/scenes_semantic.py",
    "../_base_/schedules/adamw_2k.py",
    "../_base_/runtime/mmseg.py",
]
model = dict(decode_head=dict(num_classes=7), auxiliary_head=dict(num_classes=7))
