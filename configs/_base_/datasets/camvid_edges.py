# CamVid in the layout of its common download, with the edges of its 11 classes, drawn after augmentation; 11 = void.
data_root = "{{$NOISYSEG_CAMVID:data/camvid}}"
classes = (
    *("sky", "building", "pole", "road", "pavement", "tree"),
    *("sign", "fence", "car", "pedestrian", "bicyclist"),
)

load = [dict(type="mmengine.LoadImageFromFile"), dict(type="mmseg.LoadAnnotations")]
edges = dict(type="noisyseg.EdgesFromLabels", num_classes=11, radius=1)
score_load = [*load, dict(**edges, thin=True)]
pack = dict(type="noisyseg.PackSegInputs")
train_pipeline = [
    *load,
    dict(type="mmengine.RandomResize", scale=(240, 180), ratio_range=(0.75, 1.5), keep_ratio=True),
    dict(type="mmseg.RandomCrop", crop_size=(160, 160)),
    dict(type="mmseg.RandomFlip", prob=0.5),
    edges,
    dict(type="noisyseg.ComputeImageEdges"),
    pack,
]
camvid = dict(
    type="noisyseg.SegDataset",
    data_root=data_root,
    img_suffix=".png",
    metainfo=dict(classes=classes),
    void=[11],
)
train_files = dict(data_prefix=dict(img_path="train", seg_map_path="trainannot"))
val_files = dict(data_prefix=dict(img_path="val", seg_map_path="valannot"))

train_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="mmengine.InfiniteSampler", shuffle=True),
    dataset=dict(**camvid, **train_files, pipeline=train_pipeline),
)

# Validation looks at clean validation images, and at the first training images with the labels that
# the model is given. A config with noisy labels changes `given_train` and adds `clean_train`.
clean_val = dict(
    **camvid,
    **val_files,
    test_mode=True,
    pipeline=[*score_load, pack, dict(type="noisyseg.TagSplit", split="clean")],
)
given_train = dict(
    **camvid,
    **train_files,
    test_mode=True,
    indices=60,
    pipeline=[*score_load, pack, dict(type="noisyseg.TagSplit", split="given")],
)
clean_train = dict(
    **camvid,
    **train_files,
    test_mode=True,
    indices=60,
    pipeline=[*score_load, pack, dict(type="noisyseg.TagSplit", split="clean_train")],
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
protocol = dict(tolerance=0.0075, labels="CamVid, drawn from label maps")
score = dict(type="noisyseg.EdgeMetric", protocol=protocol, thresholds=33)
test_evaluator = dict(type="noisyseg.EdgeMetric", protocol=protocol, thresholds=99, prefix="clean")
val_evaluator = [
    dict(type="noisyseg.SplitMetric", split="clean", metric=score),
    dict(type="noisyseg.SplitMetric", split="given", metric=score),
]
