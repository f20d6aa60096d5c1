# The settings of the paper on VOC 2012, with our trigger and rule. Its network, ResNet-38 with a head of DeepLab v1, is
# not in mmseg; DeepLabV3+ R-50 with its auxiliary head takes its place.
_base_ = "../baseline/baseline_deeplabv3plus-r50-d8_20k_voc-pseudo.py"
train_pipeline = _base_.train_pipeline
train_pipeline.insert(2, dict(type="noisyseg.LoadStoredLabels", keep_given=True))
train_pipeline[-1] = dict(type="noisyseg.PackSegInputs")
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
model = dict(
    _delete_=True, type="noisyseg.MultiScaleConsistency", segmentor=_base_.model, tracker=dict(compare="given")
)
correction = dict(
    type="noisyseg.LabelCorrectionHook",
    policy=dict(type="noisyseg.AdelePolicy", tau=0.8),
    window_iters=100,
    flip=False,
    merge="logit",
    temperature=3.0,
)
custom_hooks = [correction]
