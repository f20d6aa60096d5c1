# A plain head of five scales, as of HED, on the small backbone of CASENet.
_base_ = "casenet_r18_small.py"
model = dict(
    backbone=dict(out_indices=(0, 1, 2, 3)),
    decode_head=dict(type="noisyseg.SideEdgeHead", in_channels=[16, 16, 32, 64, 128]),
)
