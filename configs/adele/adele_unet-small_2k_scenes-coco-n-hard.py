# Classes that are being memorized get corrected labels. 20 virtual epochs, each with ten windows of 10 iterations.
_base_ = "../baseline/baseline_unet-small_2k_scenes-coco-n-hard.py"
train_pipeline = [
    *_base_.load,
    dict(type="noisyseg.LoadStoredLabels", keep_given=True),
    dict(type="mmseg.RandomFlip", prob=0.5),
    dict(type="noisyseg.PackSegInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
model = dict(
    _delete_=True, type="noisyseg.MultiScaleConsistency", segmentor=_base_.model, tracker=dict(compare="given")
)
correction = dict(
    type="noisyseg.LabelCorrectionHook",
    policy=dict(type="noisyseg.AdelePolicy"),
    epoch_iters=100,
)
custom_hooks = [correction]
