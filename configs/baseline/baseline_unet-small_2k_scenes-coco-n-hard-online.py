# The noise is put into the labels while they are loaded: regions of one class are the objects of the recipe.
_base_ = ["baseline_unet-small_2k_scenes-clean.py", "../_base_/noise/coco_n_hard.py"]
inject_noise = dict(
    type="noisyseg.InjectNoise",
    noise=dict(type="noisyseg.ByRegion", noise=_base_.noise, background=[0], fill=0),
    seed=0,
    classes=_base_.classes,
)
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
