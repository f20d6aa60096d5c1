# Trains on label maps that tools/make_noise.py made; README.md says how.
_base_ = "baseline_unet-s5-d16_100e_segthor-clean.py"
noisy_files = dict(img_path="images/train", seg_map_path="labels_adele_segthor/train")
train_dataloader = dict(dataset=dict(data_prefix=noisy_files))
given_train = dict(_base_.given_train, data_prefix=noisy_files)
val_dataloader = dict(dataset=dict(datasets=[_base_.clean_val, given_train, _base_.clean_train]))
val_evaluator = [
    *_base_.val_evaluator,
    dict(type="noisyseg.SplitMetric", split="clean_train", metric=_base_.score),
]
