# Synthetic scenes as instances, 128 x 128 pixels; tools/make_scenes.py makes them.
data_root = "{{$NOISYSEG_SCENES:data/scenes}}"

load = [dict(type="mmengine.LoadImageFromFile")]
train_pipeline = [
    *load,
    dict(type="mmdet.LoadAnnotations", with_bbox=True, with_mask=True),
    dict(type="mmdet.RandomFlip", prob=0.5),
    dict(type="mmdet.PackDetInputs"),
]
# `instances` are what agreement is measured against: the labels as the model is given them.
eval_steps = [
    dict(type="mmdet.Resize", scale=(128, 128), keep_ratio=True),
    dict(
        type="mmdet.PackDetInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor", "instances"),
    ),
]
scenes = dict(type="noisyseg.CocoDataset", data_root=data_root)
train_files = dict(ann_file="annotations/instances_train.json", data_prefix=dict(img="images/train/"))
val_files = dict(ann_file="annotations/instances_val.json", data_prefix=dict(img="images/val/"))

train_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="mmengine.InfiniteSampler", shuffle=True),
    dataset=dict(**scenes, **train_files, filter_cfg=dict(filter_empty_gt=True, min_size=32), pipeline=train_pipeline),
)

# Validation looks at clean validation images, and at the first training images with the labels that
# the model is given. A config with noisy labels changes `given_train` and adds `clean_train`.
clean_val = dict(
    **scenes,
    **val_files,
    test_mode=True,
    pipeline=[*load, *eval_steps, dict(type="noisyseg.TagSplit", split="clean")],
)
given_train = dict(
    **scenes,
    **train_files,
    test_mode=True,
    indices=60,
    pipeline=[*load, *eval_steps, dict(type="noisyseg.TagSplit", split="given")],
)
clean_train = dict(
    **scenes,
    **train_files,
    test_mode=True,
    indices=60,
    pipeline=[*load, *eval_steps, dict(type="noisyseg.TagSplit", split="clean_train")],
)
test_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="mmengine.DefaultSampler", shuffle=False),
    dataset=clean_val,
)
val_dataloader = {
    **test_dataloader,
    "dataset": dict(type="mmengine.ConcatDataset", datasets=[clean_val, given_train]),
}
# Without `ann_file`, labels are those that came with the samples.
score = dict(type="mmdet.CocoMetric", metric=["bbox", "segm"], metric_items=["mAP", "mAP_50", "mAP_75"])
test_evaluator = dict(
    type="mmdet.CocoMetric",
    metric=["bbox", "segm"],
    ann_file=f"{data_root}/{val_files['ann_file']}",
    prefix="clean",
)
val_evaluator = [
    dict(type="noisyseg.SplitMetric", split="clean", metric=score),
    dict(type="noisyseg.SplitMetric", split="given", metric=score),
]
