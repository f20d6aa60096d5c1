"""How every cell of a table of edge detection is trained, before the method's own difference.

A small CASENet from random weights; the same iterations, optimizer and learning rates for all. The runner fills in
data_root, classes, the seed, and of each data set ``{edge_suffix}`` and ``{tolerance}``.
"""

_base_ = ["noisyseg::_base_/models/casenet_r18_small.py"]
default_scope = "mmseg"
data_root = ""
classes = ()

iterations = 600
validations = 3
train_cfg = dict(type="mmengine.IterBasedTrainLoop", max_iters=iterations, val_interval=iterations // validations)
val_cfg = dict(type="mmengine.ValLoop")
optim_wrapper = dict(type="mmengine.OptimWrapper", optimizer=dict(type="mmengine.AdamW", lr=1e-2, weight_decay=1e-4))
param_scheduler = [
    dict(type="mmengine.LinearLR", start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(type="mmengine.PolyLR", eta_min=5e-4, power=1.0, by_epoch=False, begin=20, end=iterations),
]

image = dict(type="mmengine.LoadImageFromFile")
edges = dict(type="noisyseg.LoadEdgeLabels", num_classes=1)
flip = dict(type="mmseg.RandomFlip", prob=0.5)
pack = dict(type="noisyseg.PackSegInputs")
samples = dict(type="noisyseg.EdgeDataset", data_root=data_root, img_suffix=".png", metainfo=dict(classes=classes))
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type="mmengine.InfiniteSampler", shuffle=True),
    dataset=dict(
        **samples,
        data_prefix=dict(img_path="images/train", edge_path="noisy/train"),
        pipeline=[image, edges, flip, pack],
    ),
)
clean_val = dict(
    **samples,
    data_prefix=dict(img_path="images/val", edge_path="clean/val"),
    edge_suffix="{edge_suffix}",
    test_mode=True,
    pipeline=[
        image,
        dict(type="noisyseg.LoadEdgeLabels", num_classes=1, keep_annotators=True),
        pack,
        dict(type="noisyseg.TagSplit", split="clean"),
    ],
)
given_train = dict(
    **samples,
    data_prefix=dict(img_path="images/train", edge_path="noisy_thin/train"),
    test_mode=True,
    indices=8,
    pipeline=[image, edges, pack, dict(type="noisyseg.TagSplit", split="given")],
)
val_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type="mmengine.DefaultSampler", shuffle=False),
    dataset=dict(type="mmengine.ConcatDataset", datasets=[clean_val, given_train]),
)
score = dict(
    type="noisyseg.EdgeMetric",
    protocol=dict(tolerance="{tolerance}", labels="of the benchmark"),
    thresholds=33,
)
val_evaluator = [
    dict(type="noisyseg.SplitMetric", split="clean", metric=score),
    dict(type="noisyseg.SplitMetric", split="given", metric=score),
]

env_cfg = dict(cudnn_benchmark=False, mp_cfg=dict(mp_start_method="fork"), dist_cfg=dict(backend="gloo"))
default_hooks = dict(
    timer=dict(type="mmengine.IterTimerHook"),
    logger=dict(type="mmengine.LoggerHook", interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type="mmengine.ParamSchedulerHook"),
    checkpoint=None,
)
log_processor = dict(by_epoch=False)
log_level = "INFO"
randomness = dict(seed=0)
