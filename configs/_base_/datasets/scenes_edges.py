# Synthetic scenes, 128 x 128 pixels, with the edges of their 6 classes of objects, drawn from label maps;
# tools/make_scenes.py makes them. Label 0 is background.
data_root = "{{$NOISYSEG_SCENES:data/scenes}}"
classes = ("blob", "ring", "box", "star", "key", "worm")

load = [dict(type="mmengine.LoadImageFromFile"), dict(type="mmseg.LoadAnnotations")]
edges = dict(type="noisyseg.EdgesFromLabels", num_classes=6, radius=1, background=True)
score_load = [*load, dict(**edges, thin=True)]
pack = dict(type="noisyseg.PackSegInputs")
train_pipeline = [
    *load,
    dict(type="mmseg.RandomFlip", prob=0.5),
    edges,
    dict(type="noisyseg.ComputeImageEdges"),
    pack,
]
scenes = dict(type="noisyseg.SegDataset", data_root=data_root, img_suffix=".png", metainfo=dict(classes=classes))
train_files = dict(data_prefix=dict(img_path="images/train", seg_map_path="semantic/train"))
val_files = dict(data_prefix=dict(img_path="images/val", seg_map_path="semantic/val"))

train_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="mmengine.InfiniteSampler", shuffle=True),
    dataset=dict(**scenes, **train_files, pipeline=train_pipeline),
)

# Validation looks at clean validation images, and at the first training images with the labels that
# the model is given. A config with noisy labels changes `given_train` and adds `clean_train`.
clean_val = dict(
    **scenes,
    **val_files,
    test_mode=True,
    pipeline=[*score_load, pack, dict(type="noisyseg.TagSplit", split="clean")],
)
given_train = dict(
    **scenes,
    **train_files,
    test_mode=True,
    indices=60,
    pipeline=[*score_load, pack, dict(type="noisyseg.TagSplit", split="given")],
)
clean_train = dict(
    **scenes,
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
protocol = dict(tolerance=0.015, labels="scenes, drawn from label maps")
score = dict(type="noisyseg.EdgeMetric", protocol=protocol, thresholds=33)
test_evaluator = dict(type="noisyseg.EdgeMetric", protocol=protocol, thresholds=99, prefix="clean")
val_evaluator = [
    dict(type="noisyseg.SplitMetric", split="clean", metric=score),
    dict(type="noisyseg.SplitMetric", split="given", metric=score),
]
