"""How every cell of a table about memorization is trained: as in the table of losses, but long enough for it.

An average of the weights over about 50 iterations is what is validated: the network itself jumps by ten points from one
validation to the next while its learning rate is high.
"""

_base_ = "segmentation.py"
iterations = 1500
train_cfg = dict(max_iters=iterations, val_interval=100)
optim_wrapper = dict(optimizer=dict(lr=2e-3))
param_scheduler = [
    dict(type="mmengine.LinearLR", start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(type="mmengine.PolyLR", eta_min=1e-4, power=1.0, by_epoch=False, begin=20, end=iterations),
]
average = dict(type="mmengine.EMAHook", momentum=0.02, update_buffers=True)
custom_hooks = [average]
