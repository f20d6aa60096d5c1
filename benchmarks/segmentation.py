"""How every cell of a benchmark table is trained, before the method's own difference.

A small U-Net from random weights; the same iterations, optimizer and learning rates for all. The runner fills in
data_root, classes and the seed.
"""

_base_ = ["noisyseg::_base_/models/unet_small.py"]
default_scope = "mmseg"
data_root = ""
classes = ()

model = dict(
    data_preprocessor=dict(size_divisor=16, test_cfg=dict(size_divisor=16)),
    backbone=dict(
        base_channels=16,
    ),
    decode_head=dict(
        in_channels=16,
        channels=16,
        dropout_ratio=0.0,
        init_cfg=dict(type="mmengine.Normal", std=0.1, override=dict(name="conv_seg")),
        loss_decode=dict(_delete_=True, type="noisyseg.CrossEntropy"),
    ),
)
iterations = 400
validations = 10
train_cfg = dict(type="mmengine.IterBasedTrainLoop", max_iters=iterations, val_interval=iterations // validations)
val_cfg = dict(type="mmengine.ValLoop")
# AdamW divides by the size of the gradient, so the scale of a loss hardly matters.
optim_wrapper = dict(type="mmengine.OptimWrapper", optimizer=dict(type="mmengine.AdamW", lr=6e-3, weight_decay=1e-4))
param_scheduler = [
    dict(type="mmengine.LinearLR", start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(type="mmengine.PolyLR", eta_min=3e-4, power=1.0, by_epoch=False, begin=20, end=iterations),
]

load = [dict(type="mmengine.LoadImageFromFile"), dict(type="mmseg.LoadAnnotations")]
pack = dict(type="mmseg.PackSegInputs")
samples = dict(type="noisyseg.SegDataset", data_root=data_root, img_suffix=".png", metainfo=dict(classes=classes))
train_files = dict(img_path="images/train", seg_map_path="noisy/train")
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type="mmengine.InfiniteSampler", shuffle=True),
    dataset=dict(**samples, data_prefix=train_files, pipeline=[*load, pack]),
)
clean_val = dict(
    **samples,
    data_prefix=dict(img_path="images/val", seg_map_path="clean/val"),
    test_mode=True,
    pipeline=[*load, pack, dict(type="noisyseg.TagSplit", split="clean")],
)
given_train = dict(
    **samples,
    data_prefix=train_files,
    test_mode=True,
    indices=8,
    pipeline=[*load, pack, dict(type="noisyseg.TagSplit", split="given")],
)
val_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type="mmengine.DefaultSampler", shuffle=False),
    dataset=dict(type="mmengine.ConcatDataset", datasets=[clean_val, given_train]),
)
score = dict(type="noisyseg.ClassIoU")
val_evaluator = [
    dict(type="noisyseg.SplitMetric", split="clean", metric=score),
    dict(type="noisyseg.SplitMetric", split="given", metric=score),
]

env_cfg = dict(cudnn_benchmark=False, mp_cfg=dict(mp_start_method="fork"), dist_cfg=dict(backend="gloo"))
default_hooks = dict(
    timer=dict(type="mmengine.IterTimerHook"),
    logger=dict(type="mmengine.LoggerHook", interval=100, log_metric_by_epoch=False),
    param_scheduler=dict(type="mmengine.ParamSchedulerHook"),
    checkpoint=None,
)
log_processor = dict(by_epoch=False)
log_level = "INFO"
randomness = dict(seed=0)
