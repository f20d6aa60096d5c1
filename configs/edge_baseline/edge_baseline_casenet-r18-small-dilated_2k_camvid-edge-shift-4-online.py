# Labels are made 2 pixels thicker on each side for the loss, so that more of them covers the true edge.
_base_ = "edge_baseline_casenet-r18-small_2k_camvid-edge-shift-4-online.py"
model = dict(dilation=2)
