# BSDS500 in its published layout: edges of one class and one pixel, several annotators an image. Each time an image is
# trained on, one of its annotators is drawn; validation scores against all of them.
data_root = "{{$NOISYSEG_BSDS500:data/BSDS500/data}}"
classes = ("boundary",)

image = dict(type="mmengine.LoadImageFromFile")
score_load = [image, dict(type="noisyseg.LoadEdgeLabels", num_classes=1, keep_annotators=True)]
pack = dict(type="noisyseg.PackSegInputs")
train_pipeline = [
    image,
    dict(type="noisyseg.LoadEdgeLabels", num_classes=1, annotators="random"),
    dict(type="mmseg.RandomCrop", crop_size=(320, 320)),
    dict(type="mmseg.RandomFlip", prob=0.5),
    dict(type="noisyseg.ComputeImageEdges"),
    pack,
]
bsds500 = dict(type="noisyseg.BSDS500Edges", data_root=data_root)
train_files = dict(data_prefix=dict(img_path="images/train", edge_path="groundTruth/train"))
val_files = dict(data_prefix=dict(img_path="images/val", edge_path="groundTruth/val"))

train_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="mmengine.InfiniteSampler", shuffle=True),
    dataset=dict(**bsds500, **train_files, pipeline=train_pipeline),
)

# Validation looks at clean validation images, and at the first training images with the labels that
# the model is given. A config with noisy labels changes `given_train` and adds `clean_train`.
clean_val = dict(
    **bsds500,
    **val_files,
    test_mode=True,
    pipeline=[*score_load, pack, dict(type="noisyseg.TagSplit", split="clean")],
)
given_train = dict(
    **bsds500,
    **train_files,
    test_mode=True,
    indices=40,
    pipeline=[*score_load, pack, dict(type="noisyseg.TagSplit", split="given")],
)
clean_train = dict(
    **bsds500,
    **train_files,
    test_mode=True,
    indices=40,
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
protocol = dict(name="bsds")
score = dict(type="noisyseg.EdgeMetric", protocol=protocol, thresholds=33)
test_evaluator = dict(type="noisyseg.EdgeMetric", protocol=protocol, thresholds=99, prefix="clean")
val_evaluator = [
    dict(type="noisyseg.SplitMetric", split="clean", metric=score),
    dict(type="noisyseg.SplitMetric", split="given", metric=score),
]
