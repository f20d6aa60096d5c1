# Stage 1: plain cross entropy on labels with 40 % symmetric class noise, put in while annotations are loaded.
_base_ = ["../baseline/baseline_mask-rcnn-r18-small_2k_scenes-clean.py", "../_base_/noise/lncis_sym_40.py"]
inject_noise = dict(type="noisyseg.InjectNoise", noise=_base_.noise, seed=0)
train_pipeline = _base_.train_pipeline
train_pipeline.insert(1, inject_noise)
given_train = _base_.given_train
given_train.pipeline.insert(1, inject_noise)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(datasets=[_base_.clean_val, given_train, _base_.clean_train]))
val_evaluator = [
    *_base_.val_evaluator,
    dict(type="noisyseg.SplitMetric", split="clean_train", metric=_base_.score),
]
