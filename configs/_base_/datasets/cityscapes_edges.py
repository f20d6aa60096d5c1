# Cityscapes: edges of its 19 classes, drawn from label ids after augmentation, also between two objects of one class.
data_root = "{{$NOISYSEG_CITYSCAPES:data/cityscapes}}"
classes = (
    *("road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation"),
    *("terrain", "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"),
)

load = [
    dict(type="mmengine.LoadImageFromFile"),
    dict(type="mmseg.LoadAnnotations"),
    dict(type="noisyseg.LoadInstanceMap"),
]
edges = dict(type="noisyseg.EdgesFromLabels", num_classes=19, background=True, instances="gt_instance_map")
score_load = [*load, dict(**edges, radius=1, thin=True)]
pack = dict(type="noisyseg.PackSegInputs")
train_pipeline = [
    *load,
    dict(type="mmengine.RandomResize", scale=(2048, 1024), ratio_range=(0.5, 1.5), keep_ratio=True),
    dict(type="mmseg.RandomCrop", crop_size=(472, 472)),
    dict(type="mmseg.RandomFlip", prob=0.5),
    dict(**edges, radius=2),
    dict(type="noisyseg.ComputeImageEdges", sigma=2, low=10, high=100),
    pack,
]
cityscapes = dict(type="noisyseg.CityscapesEdges", data_root=data_root)
train_files = dict(data_prefix=dict(img_path="leftImg8bit/train", seg_map_path="gtFine/train"))
val_files = dict(data_prefix=dict(img_path="leftImg8bit/val", seg_map_path="gtFine/val"))

train_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="mmengine.InfiniteSampler", shuffle=True),
    dataset=dict(**cityscapes, **train_files, pipeline=train_pipeline),
)

# Validation looks at clean validation images, and at the first training images with the labels that
# the model is given. A config with noisy labels changes `given_train` and adds `clean_train`.
clean_val = dict(
    **cityscapes,
    **val_files,
    test_mode=True,
    pipeline=[*score_load, pack, dict(type="noisyseg.TagSplit", split="clean")],
)
given_train = dict(
    **cityscapes,
    **train_files,
    test_mode=True,
    indices=100,
    pipeline=[*score_load, pack, dict(type="noisyseg.TagSplit", split="given")],
)
clean_train = dict(
    **cityscapes,
    **train_files,
    test_mode=True,
    indices=100,
    pipeline=[*score_load, pack, dict(type="noisyseg.TagSplit", split="clean_train")],
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
protocol = dict(name="cityscapes")
score = dict(type="noisyseg.EdgeMetric", protocol=protocol, thresholds=33)
test_evaluator = dict(type="noisyseg.EdgeMetric", protocol=protocol, thresholds=99, prefix="clean")
val_evaluator = [
    dict(type="noisyseg.SplitMetric", split="clean", metric=score),
    dict(type="noisyseg.SplitMetric", split="given", metric=score),
]
