_base_ = [
    "../_base_/models/casenet_r18_small.py",
    "../_base_/datasets/scenes_edges.py",
    "../_base_/schedules/adamw_2k.py",
    "../_base_/runtime/mmseg.py",
]
model = dict(decode_head=dict(num_classes=6))
optim_wrapper = dict(optimizer=dict(lr=1e-2))
