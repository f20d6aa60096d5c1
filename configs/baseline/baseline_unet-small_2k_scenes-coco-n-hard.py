# Trains on label maps painted from a noisy COCO file; README.md says how to make them.
_base_ = "baseline_unet-small_2k_scenes-clean.py"
noisy_files = dict(img_path="images/train", seg_map_path="semantic_coco_n_hard/train")
train_dataloader = dict(dataset=dict(data_prefix=noisy_files))
given_train = dict(_base_.given_train, data_prefix=noisy_files)
val_dataloader = dict(dataset=dict(datasets=[_base_.clean_val, given_train, _base_.clean_train]))
val_evaluator = [
    *_base_.val_evaluator,
    dict(type="noisyseg.SplitMetric", split="clean_train", metric=_base_.score),
]
