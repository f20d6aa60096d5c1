"""A segmenter so small that training takes a second; a test sets the `data_root`."""

default_scope = "mmseg"
norm_cfg = dict(type="mmengine.BN")
model = dict(
    type="mmseg.EncoderDecoder",
    data_preprocessor=dict(type="mmseg.SegDataPreProcessor", size=(32, 32)),
    backbone=dict(
        type="mmseg.UNet",
        base_channels=4,
        num_stages=2,
        strides=(1, 1),
        enc_num_convs=(1, 1),
        dec_num_convs=(1,),
        downsamples=(True,),
        enc_dilations=(1, 1),
        dec_dilations=(1,),
        norm_cfg=norm_cfg,
    ),
    decode_head=dict(
        type="mmseg.FCNHead",
        in_channels=4,
        in_index=1,
        channels=4,
        num_convs=1,
        num_classes=2,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(type="mmseg.CrossEntropyLoss"),
    ),
    test_cfg=dict(mode="whole"),
)
pipeline = [dict(type="LoadImageFromFile"), dict(type="LoadAnnotations"), dict(type="PackSegInputs")]
train_dataloader = dict(
    batch_size=2,
    sampler=dict(type="InfiniteSampler"),
    dataset=dict(
        type="BaseSegDataset",
        data_root="squares",
        data_prefix=dict(img_path="images", seg_map_path="labels"),
        metainfo=dict(classes=("background", "square"), palette=[[0, 0, 0], [255, 0, 0]]),
        img_suffix=".png",
        pipeline=pipeline,
    ),
)
test_dataloader = dict(
    batch_size=1, sampler=dict(type="DefaultSampler", shuffle=False), dataset=train_dataloader["dataset"]
)
test_evaluator = dict(type="IoUMetric", iou_metrics=["mIoU"])
test_cfg = dict(type="TestLoop")
train_cfg = dict(type="IterBasedTrainLoop", max_iters=2)
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.1))
default_hooks = dict(
    checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=1),
    visualization=dict(type="SegVisualizationHook"),
)
visualizer = dict(type="SegLocalVisualizer", vis_backends=[dict(type="LocalVisBackend")])
randomness = dict(seed=0)
