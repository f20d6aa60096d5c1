_base_ = [
    "../_base_/models/unet_s5_d16.py",
    "../_base_/datasets/cityscapes_semantic.py",
    "mmseg::_base_/default_runtime.py",
    "mmseg::_base_/schedules/schedule_160k.py",
]
model = dict(
    data_preprocessor=dict(size=(512, 1024)),
    decode_head=dict(num_classes=19),
    auxiliary_head=dict(num_classes=19),
    test_cfg=dict(_delete_=True, mode="whole"),
)
train_dataloader = dict(batch_size=4)
