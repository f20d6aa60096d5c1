# Targets from a bank on disk of earlier predictions for each image, in cells of 4 x 4 pixels.
_base_ = "../baseline/baseline_unet-small_2k_scenes-coco-n-hard.py"
train_pipeline = [
    *_base_.load,
    dict(type="noisyseg.RecordPixelOrigin"),
    dict(type="mmseg.RandomFlip", prob=0.5),
    dict(type="noisyseg.PackSegInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
bank = dict(type="noisyseg.TargetBank", momentum=0.7, stride=4)
elr = dict(_delete_=True, type="noisyseg.PixelELR", strength=1.0, warm_up=200, ramp=300, targets=bank)
model = dict(decode_head=dict(type="noisyseg.NoiseAwareHead", head="mmseg.FCNHead", loss_decode=elr))
custom_hooks = [dict(type="noisyseg.TargetBankHook")]
