_base_ = [
    "../_base_/models/unet_s5_d16.py",
    "../_base_/datasets/segthor_semantic.py",
    "../_base_/schedules/sgd_100e.py",
    "../_base_/runtime/mmseg_epochs.py",
]
model = dict(
    data_preprocessor=dict(size_divisor=16, test_cfg=dict(size_divisor=16)),
    decode_head=dict(num_classes=5),
    auxiliary_head=None,
    test_cfg=dict(_delete_=True, mode="whole"),
)
