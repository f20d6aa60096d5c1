_base_ = [
    "../_base_/models/side_edges_r18_small.py",
    "../_base_/datasets/bsds500_edges.py",
    "../_base_/schedules/adamw_2k.py",
    "../_base_/runtime/mmseg.py",
]
# Labels are one pixel wide, where other data sets have bands: few enough edges that their share has to be balanced.
model = dict(edge_loss=dict(balance="image"))
optim_wrapper = dict(optimizer=dict(lr=1e-2))
