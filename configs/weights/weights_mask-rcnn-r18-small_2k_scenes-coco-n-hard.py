# A weight for each object of the noisy file; README.md says how to make the files.
_base_ = "../baseline/baseline_mask-rcnn-r18-small_2k_scenes-coco-n-hard.py"
weight_file = f"{_base_.data_root}/annotations/weights_train_coco_n_hard.json"
train_pipeline = [
    *_base_.load,
    dict(type="mmdet.LoadAnnotations", with_bbox=True, with_mask=True),
    dict(type="noisyseg.LoadInstanceWeights", file=weight_file),
    dict(type="mmdet.RandomFlip", prob=0.5),
    dict(type="noisyseg.PackDetInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
model = dict(
    rpn_head=dict(type="noisyseg.WeightedAnchorHead", head="mmdet.RPNHead"),
    roi_head=dict(
        type="noisyseg.WeightedRoIHead",
        head="mmdet.StandardRoIHead",
        mask_head=dict(loss_mask=dict(_delete_=True, type="noisyseg.CrossEntropy", use_mask=True)),
    ),
)
