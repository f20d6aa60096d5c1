_base_ = [
    "../_base_/models/mask_rcnn_r18_small.py",
    "../_base_/datasets/scenes_instance.py",
    "../_base_/schedules/adamw_2k.py",
    "../_base_/runtime/mmdet.py",
]
model = dict(roi_head=dict(bbox_head=dict(num_classes=6), mask_head=dict(num_classes=6)))
