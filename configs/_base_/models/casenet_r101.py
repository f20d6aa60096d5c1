# CASENet: 101 layers that start from ImageNet (BGR, no division), frozen batch norm, losses summed over pixels and
# classes as the published learning rates want it.
model = dict(
    type="noisyseg.EdgeDetector",
    data_preprocessor=dict(
        type="mmseg.SegDataPreProcessor",
        mean=[103.53, 116.28, 123.675],
        std=[1.0, 1.0, 1.0],
        bgr_to_rgb=False,
        size_divisor=8,
    ),
    backbone=dict(
        type="noisyseg.CASENetResNet",
        depth=101,
        style="caffe",
        norm_cfg=dict(type="mmengine.BN", requires_grad=False),
        norm_eval=True,
        init_cfg=dict(type="mmengine.Pretrained", checkpoint="open-mmlab://detectron2/resnet101_caffe"),
    ),
    decode_head=dict(type="noisyseg.CASENetHead", in_channels=[64, 256, 512, 2048], num_classes=20),
    edge_loss=dict(type="noisyseg.EdgeCrossEntropy", reduction="sum"),
)
