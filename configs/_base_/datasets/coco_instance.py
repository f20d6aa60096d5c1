# COCO 2017 at full size, with the training scales of detectron2. Set NOISYSEG_COCO to where it is.
data_root = "{{$NOISYSEG_COCO:data/coco}}"

load = [dict(type="mmengine.LoadImageFromFile")]
train_pipeline = [
    *load,
    dict(type="mmdet.LoadAnnotations", with_bbox=True, with_mask=True),
    dict(
        type="mmengine.RandomChoiceResize",
        resize_type="mmdet.Resize",
        scales=[(1333, side) for side in (640, 672, 704, 736, 768, 800)],
        keep_ratio=True,
    ),
    dict(type="mmdet.RandomFlip", prob=0.5),
    dict(type="mmdet.PackDetInputs"),
]
# `instances` are what agreement is measured against: the labels as the model is given them.
eval_steps = [
    dict(type="mmdet.Resize", scale=(1333, 800), keep_ratio=True),
    dict(
        type="mmdet.PackDetInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor", "instances"),
    ),
]
coco = dict(type="noisyseg.CocoDataset", data_root=data_root)
train_files = dict(ann_file="annotations/instances_train2017.json", data_prefix=dict(img="train2017/"))
val_files = dict(ann_file="annotations/instances_val2017.json", data_prefix=dict(img="val2017/"))

train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="mmengine.InfiniteSampler", shuffle=True),
    batch_sampler=dict(type="mmdet.AspectRatioBatchSampler"),
    dataset=dict(**coco, **train_files, filter_cfg=dict(filter_empty_gt=True, min_size=32), pipeline=train_pipeline),
)

# Validation looks at clean validation images, and at the first training images with the labels that
# the model is given. A config with noisy labels changes `given_train` and adds `clean_train`.
clean_val = dict(
    **coco,
    **val_files,
    test_mode=True,
    pipeline=[*load, *eval_steps, dict(type="noisyseg.TagSplit", split="clean")],
)
given_train = dict(
    **coco,
    **train_files,
    test_mode=True,
    indices=500,
    pipeline=[*load, *eval_steps, dict(type="noisyseg.TagSplit", split="given")],
)
clean_train = dict(
    **coco,
    **train_files,
    test_mode=True,
    indices=500,
    pipeline=[*load, *eval_steps, dict(type="noisyseg.TagSplit", split="clean_train")],
)
test_dataloader = dict(
    batch_size=1,
    num_workers=4,
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
