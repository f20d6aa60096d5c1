# SBD in its published layout, 20 classes; edges also run between two objects of one class. Labels that were prepared
# for CASENet are read with edge_suffix=".bin" and their folder as edge_path.
data_root = "{{$NOISYSEG_SBD:data/benchmark_RELEASE/dataset}}"
classes = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)

score_load = [dict(type="mmengine.LoadImageFromFile"), dict(type="noisyseg.LoadEdgeLabels", num_classes=20)]
pack = dict(type="noisyseg.PackSegInputs")
train_pipeline = [
    *score_load,
    dict(type="mmseg.RandomCrop", crop_size=(472, 472)),
    dict(type="mmseg.RandomFlip", prob=0.5),
    dict(type="noisyseg.ComputeImageEdges"),
    pack,
]
sbd = dict(type="noisyseg.SBDEdges", data_root=data_root, data_prefix=dict(img_path="img", edge_path="inst"))
train_files = dict(ann_file="train.txt")
val_files = dict(ann_file="val.txt")

train_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="mmengine.InfiniteSampler", shuffle=True),
    dataset=dict(**sbd, **train_files, pipeline=train_pipeline),
)

# Validation looks at clean validation images, and at the first training images with the labels that
# the model is given. A config with noisy labels changes `given_train` and adds `clean_train`.
clean_val = dict(
    **sbd,
    **val_files,
    test_mode=True,
    pipeline=[*score_load, pack, dict(type="noisyseg.TagSplit", split="clean")],
)
given_train = dict(
    **sbd,
    **train_files,
    test_mode=True,
    indices=200,
    pipeline=[*score_load, pack, dict(type="noisyseg.TagSplit", split="given")],
)
clean_train = dict(
    **sbd,
    **train_files,
    test_mode=True,
    indices=200,
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
protocol = dict(name="sbd")
score = dict(type="noisyseg.EdgeMetric", protocol=protocol, thresholds=33)
test_evaluator = dict(type="noisyseg.EdgeMetric", protocol=protocol, thresholds=99, prefix="clean")
val_evaluator = [
    dict(type="noisyseg.SplitMetric", split="clean", metric=score),
    dict(type="noisyseg.SplitMetric", split="given", metric=score),
]
