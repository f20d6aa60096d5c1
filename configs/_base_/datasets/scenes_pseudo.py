# Synthetic scenes with two classes: pseudo labels to train on, clean labels to score; all objects are one class.
_base_ = "scenes_semantic.py"
classes = ("background", "object")
load = [*_base_.load, dict(type="noisyseg.KeepForeground")]
steps = [*load, _base_.pack]
pseudo_files = dict(img_path="images/train", seg_map_path="semantic_pseudo/train")
two_classes = dict(metainfo=dict(classes=classes))

train_dataloader = dict(
    dataset=dict(
        **two_classes,
        data_prefix=pseudo_files,
        pipeline=[*load, dict(type="mmseg.RandomFlip", prob=0.5), _base_.pack],
    )
)
clean_val = dict(_base_.clean_val, **two_classes, pipeline=[*steps, dict(type="noisyseg.TagSplit", split="clean")])
given_train = dict(
    _base_.given_train,
    **two_classes,
    data_prefix=pseudo_files,
    pipeline=[*steps, dict(type="noisyseg.TagSplit", split="given")],
)
clean_train = dict(
    _base_.clean_train, **two_classes, pipeline=[*steps, dict(type="noisyseg.TagSplit", split="clean_train")]
)
test_dataloader = dict(dataset=clean_val)
val_dataloader = dict(dataset=dict(datasets=[clean_val, given_train, clean_train]))
val_evaluator = [
    *_base_.val_evaluator,
    dict(type="noisyseg.SplitMetric", split="clean_train", metric=_base_.score),
]
