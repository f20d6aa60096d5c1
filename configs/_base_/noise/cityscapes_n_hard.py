# Cityscapes-N "hard": the settings of coco_n_hard, the same pixels on images of 2048 x 1024.
_base_ = "coco_n_hard.py"
