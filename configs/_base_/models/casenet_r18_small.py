# CASENet for a CPU: 18 layers of 16 to 128 channels from random weights, batch norm that learns. A step on 8 images of
# 96 x 96 pixels takes a tenth of a second on one core. Binary edges; of several classes with decode_head.num_classes.
model = dict(
    type="noisyseg.EdgeDetector",
    data_preprocessor=dict(
        type="mmseg.SegDataPreProcessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        size_divisor=1,
    ),
    backbone=dict(
        type="noisyseg.CASENetResNet",
        depth=18,
        deep_stem=True,
        stem_channels=16,
        base_channels=16,
        norm_cfg=dict(type="mmengine.BN"),
    ),
    decode_head=dict(type="noisyseg.CASENetHead", in_channels=[16, 16, 32, 128], num_classes=1),
    edge_loss=dict(type="noisyseg.EdgeCrossEntropy"),
)
