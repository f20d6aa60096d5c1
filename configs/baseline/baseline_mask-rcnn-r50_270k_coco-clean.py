_base_ = [
    "mmdet::_base_/models/mask-rcnn_r50_fpn.py",
    "../_base_/datasets/coco_instance.py",
    "../_base_/schedules/sgd_270k.py",
    "../_base_/runtime/mmdet.py",
]
