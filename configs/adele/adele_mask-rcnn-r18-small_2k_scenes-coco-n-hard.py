# Classes that are being memorized get corrected masks. 20 virtual epochs, each with five windows of 20 iterations.
_base_ = "../baseline/baseline_mask-rcnn-r18-small_2k_scenes-coco-n-hard.py"
train_pipeline = [
    *_base_.load,
    dict(type="mmdet.LoadAnnotations", with_bbox=True, with_mask=True),
    dict(type="noisyseg.LoadStoredInstances"),
    dict(type="mmdet.RandomFlip", prob=0.5),
    dict(type="mmdet.PackDetInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
correction = dict(
    type="noisyseg.InstanceCorrectionHook",
    policy=dict(type="noisyseg.InstancePolicy"),
    steps=[dict(type="mmdet.Resize", scale=(128, 128), keep_ratio=True)],
    epoch_iters=100,
    window_iters=20,
    probe_images=32,
)
custom_hooks = [*_base_.custom_hooks, correction]
