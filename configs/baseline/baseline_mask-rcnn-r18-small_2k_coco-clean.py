_base_ = [
    "../_base_/models/mask_rcnn_r18_small.py",
    "../_base_/datasets/coco_instance_small.py",
    "../_base_/schedules/adamw_2k.py",
    "../_base_/runtime/mmdet.py",
]
