# Cityscapes-N "medium": the settings of coco_n_medium, the same pixels on images of 2048 x 1024.
_base_ = "coco_n_medium.py"
