# ADELE's on VOC 2012: what starts from ImageNet learns at 0.001, its biases twice, heads 10 and their biases 20 times.
train_cfg = dict(type="mmengine.IterBasedTrainLoop", max_iters=20_000, val_interval=2000)
val_cfg = dict(type="mmengine.ValLoop")
test_cfg = dict(type="mmengine.TestLoop")
optim_wrapper = dict(
    optimizer=dict(type="mmengine.SGD", lr=1e-3, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(
        bias_lr_mult=2.0,
        custom_keys={"head": dict(lr_mult=10.0), "head.conv_seg.bias": dict(lr_mult=20.0)},
    ),
)
param_scheduler = [dict(type="mmengine.PolyLR", eta_min=0.0, power=0.9, by_epoch=False, begin=0, end=20_000)]
auto_scale_lr = dict(enable=False, base_batch_size=10)
randomness = dict(seed=0)
