# Trains on the noisy file that tools/make_noise.py writes; README.md says how.
_base_ = "baseline_mask-rcnn-r50_270k_coco-clean.py"
noisy_file = "annotations/instances_train2017_coco_n_medium.json"
train_dataloader = dict(dataset=dict(ann_file=noisy_file))
given_train = dict(_base_.given_train, ann_file=noisy_file)
val_dataloader = dict(dataset=dict(datasets=[_base_.clean_val, given_train, _base_.clean_train]))
val_evaluator = [
    *_base_.val_evaluator,
    dict(type="noisyseg.SplitMetric", split="clean_train", metric=_base_.score),
]
