# Cityscapes-N "easy": the settings of coco_n_easy, the same pixels on images of 2048 x 1024.
_base_ = "coco_n_easy.py"
