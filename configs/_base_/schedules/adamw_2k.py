# For the small models: from random weights, on a CPU, in minutes.
train_cfg = dict(type="mmengine.IterBasedTrainLoop", max_iters=2000, val_interval=500)
val_cfg = dict(type="mmengine.ValLoop")
test_cfg = dict(type="mmengine.TestLoop")
optim_wrapper = dict(
    optimizer=dict(type="mmengine.AdamW", lr=1e-3, weight_decay=0.01),
    clip_grad=dict(max_norm=10.0),
)
param_scheduler = [
    dict(type="mmengine.LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type="mmengine.PolyLR", eta_min=1e-6, power=0.9, by_epoch=False, begin=100, end=2000),
]
randomness = dict(seed=0)
