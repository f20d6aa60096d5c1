# Cityscapes with the 19 classes of its benchmark, at the sizes of mmseg's own configs.
data_root = "{{$NOISYSEG_CITYSCAPES:data/cityscapes}}"
classes = (
    *("road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation"),
    *("terrain", "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"),
)

load = [dict(type="mmengine.LoadImageFromFile"), dict(type="mmseg.LoadAnnotations")]
pack = dict(type="mmseg.PackSegInputs")
train_pipeline = [
    *load,
    dict(type="mmengine.RandomResize", scale=(2048, 1024), ratio_range=(0.5, 2.0), keep_ratio=True),
    dict(type="mmseg.RandomCrop", crop_size=(512, 1024), cat_max_ratio=0.75),
    dict(type="mmseg.RandomFlip", prob=0.5),
    dict(type="mmseg.PhotoMetricDistortion"),
    pack,
]
cityscapes = dict(type="mmseg.CityscapesDataset", data_root=data_root)
train_files = dict(img_path="leftImg8bit/train", seg_map_path="gtFine/train")
val_files = dict(img_path="leftImg8bit/val", seg_map_path="gtFine/val")

train_dataloader = dict(
    batch_size=2,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="mmengine.InfiniteSampler", shuffle=True),
    dataset=dict(**cityscapes, data_prefix=train_files, pipeline=train_pipeline),
)

# Validation looks at clean validation images, and at the first training images with the labels that
# the model is given. A config with noisy labels changes `given_train` and adds `clean_train`.
clean_val = dict(
    **cityscapes,
    data_prefix=val_files,
    test_mode=True,
    pipeline=[*load, pack, dict(type="noisyseg.TagSplit", split="clean")],
)
given_train = dict(
    **cityscapes,
    data_prefix=train_files,
    test_mode=True,
    indices=500,
    pipeline=[*load, pack, dict(type="noisyseg.TagSplit", split="given")],
)
clean_train = dict(
    **cityscapes,
    data_prefix=train_files,
    test_mode=True,
    indices=500,
    pipeline=[*load, pack, dict(type="noisyseg.TagSplit", split="clean_train")],
)
test_dataloader = dict(
    batch_size=1,
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
