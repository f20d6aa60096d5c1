_base_ = [
    "../_base_/models/deeplabv3plus_r50_d8.py",
    "../_base_/datasets/cityscapes_semantic.py",
    "mmseg::_base_/default_runtime.py",
    "mmseg::_base_/schedules/schedule_80k.py",
]
model = dict(data_preprocessor=dict(size=(512, 1024)))
