# PASCAL VOC 2012, trained on pseudo labels of the 10,582 images of trainaug.txt; docs/datasets.md has the layout.
data_root = "{{$NOISYSEG_VOC:data/VOCdevkit/VOC2012}}"
classes = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)

load = [dict(type="mmengine.LoadImageFromFile"), dict(type="mmseg.LoadAnnotations")]
pack = dict(type="mmseg.PackSegInputs")
train_pipeline = [
    *load,
    # Longer sides have about 500 pixels, so that this is 0.5 to 1.5 times the image.
    dict(type="mmengine.RandomResize", scale=(500, 500), ratio_range=(0.5, 1.5), keep_ratio=True),
    dict(type="mmseg.RandomCrop", crop_size=(448, 448)),
    dict(type="mmseg.RandomFlip", prob=0.5),
    dict(type="mmseg.PhotoMetricDistortion"),
    pack,
]
voc = dict(type="noisyseg.SegDataset", data_root=data_root, img_suffix=".jpg", metainfo=dict(classes=classes))
train_list, val_list = "ImageSets/Segmentation/trainaug.txt", "ImageSets/Segmentation/val.txt"
pseudo_files = dict(img_path="JPEGImages", seg_map_path="SegmentationPseudo")
clean_files = dict(img_path="JPEGImages", seg_map_path="SegmentationClassAug")
val_files = dict(img_path="JPEGImages", seg_map_path="SegmentationClass")

train_dataloader = dict(
    batch_size=10,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="mmengine.InfiniteSampler", shuffle=True),
    dataset=dict(**voc, ann_file=train_list, data_prefix=pseudo_files, pipeline=train_pipeline),
)

# Validation looks at clean validation images, and at the first training images with the labels that
# the model is given and with clean ones.
clean_val = dict(
    **voc,
    ann_file=val_list,
    data_prefix=val_files,
    test_mode=True,
    pipeline=[*load, pack, dict(type="noisyseg.TagSplit", split="clean")],
)
given_train = dict(
    **voc,
    ann_file=train_list,
    data_prefix=pseudo_files,
    test_mode=True,
    indices=500,
    pipeline=[*load, pack, dict(type="noisyseg.TagSplit", split="given")],
)
clean_train = dict(
    **voc,
    ann_file=train_list,
    data_prefix=clean_files,
    test_mode=True,
    indices=500,
    pipeline=[*load, pack, dict(type="noisyseg.TagSplit", split="clean_train")],
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
    "dataset": dict(type="mmengine.ConcatDataset", datasets=[clean_val, given_train, clean_train]),
}
score = dict(type="mmseg.IoUMetric", iou_metrics=["mIoU"])
test_evaluator = dict(**score, prefix="clean")
val_evaluator = [
    dict(type="noisyseg.SplitMetric", split="clean", metric=score),
    dict(type="noisyseg.SplitMetric", split="given", metric=score),
    dict(type="noisyseg.SplitMetric", split="clean_train", metric=score),
]
