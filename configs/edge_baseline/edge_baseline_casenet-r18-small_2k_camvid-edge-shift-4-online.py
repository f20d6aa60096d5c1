# Edges lie beside what they mark: label maps move smoothly while they are loaded, before edges are drawn.
_base_ = ["edge_baseline_casenet-r18-small_2k_camvid-clean.py", "../_base_/noise/edge_shift_4_map.py"]
inject_noise = dict(type="noisyseg.InjectNoise", noise=_base_.noise, seed=0, classes=_base_.classes)
train_pipeline = _base_.train_pipeline
train_pipeline.insert(2, inject_noise)
given_train = _base_.given_train
given_train.pipeline.insert(2, inject_noise)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(datasets=[_base_.clean_val, given_train, _base_.clean_train]))
val_evaluator = [
    *_base_.val_evaluator,
    dict(type="noisyseg.SplitMetric", split="clean_train", metric=_base_.score),
]
