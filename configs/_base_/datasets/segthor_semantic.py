# Slices of computed tomography in the manner of SegTHOR, PNG of 256 x 256 pixels; docs/datasets.md has the layout.
data_root = "{{$NOISYSEG_SEGTHOR:data/segthor}}"
classes = ("background", "esophagus", "heart", "trachea", "aorta")

load = [dict(type="mmengine.LoadImageFromFile"), dict(type="mmseg.LoadAnnotations")]
pack = dict(type="mmseg.PackSegInputs")
train_pipeline = [*load, pack]
segthor = dict(type="noisyseg.SegDataset", data_root=data_root, img_suffix=".png", metainfo=dict(classes=classes))
train_files = dict(img_path="images/train", seg_map_path="labels/train")
val_files = dict(img_path="images/val", seg_map_path="labels/val")

train_dataloader = dict(
    batch_size=5,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="mmengine.DefaultSampler", shuffle=True),
    dataset=dict(**segthor, data_prefix=train_files, pipeline=train_pipeline),
)

# Validation looks at clean validation images, and at the first training images with the labels that
# the model is given. A config with noisy labels changes `given_train` and adds `clean_train`.
clean_val = dict(
    **segthor,
    data_prefix=val_files,
    test_mode=True,
    pipeline=[*load, pack, dict(type="noisyseg.TagSplit", split="clean")],
)
given_train = dict(
    **segthor,
    data_prefix=train_files,
    test_mode=True,
    indices=500,
    pipeline=[*load, pack, dict(type="noisyseg.TagSplit", split="given")],
)
clean_train = dict(
    **segthor,
    data_prefix=train_files,
    test_mode=True,
    indices=500,
    pipeline=[*load, pack, dict(type="noisyseg.TagSplit", split="clean_train")],
)
test_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="mmengine.DefaultSampler", shuffle=False),
    dataset=clean_val,
)
val_dataloader = {
    **test_dataloader,
    "dataset": dict(type="mmengine.ConcatDataset", datasets=[clean_val, given_train]),
}
score = dict(type="mmseg.IoUMetric", iou_metrics=["mIoU"])
test_evaluator = dict(**score, prefix="clean")
val_evaluator = [
    dict(type="noisyseg.SplitMetric", split="clean", metric=score),
    dict(type="noisyseg.SplitMetric", split="given", metric=score),
]
