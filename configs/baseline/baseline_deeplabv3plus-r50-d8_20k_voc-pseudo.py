# ADELE's settings on VOC 2012 but for the network: its ResNet-38 with a head of DeepLab v1 is not in mmseg.
_base_ = [
    "../_base_/models/deeplabv3plus_r50_d8.py",
    "../_base_/datasets/voc_pseudo_semantic.py",
    "../_base_/schedules/sgd_20k.py",
    "../_base_/runtime/mmseg.py",
]
model = dict(
    data_preprocessor=dict(size=(448, 448)),
    decode_head=dict(num_classes=21),
    auxiliary_head=dict(num_classes=21),
)
