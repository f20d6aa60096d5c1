# The paper's settings on SegTHOR, trigger and rule as they were released: corrected every tenth epoch, on top of what
# was corrected before. Confidence is that of un-augmented images at scale 1; the released code takes it from the
# outputs of the training steps.
_base_ = "../baseline/baseline_unet-s5-d16_100e_segthor-adele-segthor.py"
load_stored = dict(type="noisyseg.LoadStoredLabels", keep_given=True)
train_pipeline = [*_base_.load, load_stored, dict(type="noisyseg.PackSegInputs")]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
model = dict(
    _delete_=True,
    type="noisyseg.MultiScaleConsistency",
    segmentor=_base_.model,
    learn_weights=False,
    average="mean",
    gate="image",
    tracker=dict(compare="current"),
)
trigger = dict(type="noisyseg.CurveTrigger", variant="segthor")
correction = dict(
    type="noisyseg.LabelCorrectionHook",
    policy=dict(type="noisyseg.AdelePolicy", rule="segthor", trigger=trigger, reinit=False, tau=0.7),
    window_iters=700,  # set it to your slices / 5: the slow start is meant for windows of an epoch
    every=10,
    scales=(1.0,),
    flip=False,
    temperature=1.0,
)
custom_hooks = [correction]
