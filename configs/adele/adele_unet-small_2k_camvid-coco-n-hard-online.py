# Street scenes, no background class; labels get their noise while they are loaded, and then their corrections.
_base_ = "../baseline/baseline_unet-small_2k_camvid-coco-n-hard-online.py"
train_pipeline = _base_.train_pipeline
train_pipeline.insert(3, dict(type="noisyseg.LoadStoredLabels", keep_given=True))
train_pipeline[-1] = dict(type="noisyseg.PackSegInputs")
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
model = dict(
    _delete_=True, type="noisyseg.MultiScaleConsistency", segmentor=_base_.model, tracker=dict(compare="given")
)
correction = dict(
    type="noisyseg.LabelCorrectionHook",
    policy=dict(type="noisyseg.AdelePolicy", background=None),
)
custom_hooks = [correction]
