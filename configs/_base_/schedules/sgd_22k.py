# CASENet's on SBD, as SEAL trains it without reweighting: losses are summed over pixels and classes (mean over images),
# so rates are small. What starts from ImageNet learns at 5e-8, its biases twice, the head 10 and its biases 20 times.
train_cfg = dict(type="mmengine.IterBasedTrainLoop", max_iters=22_000, val_interval=22_000)
val_cfg = dict(type="mmengine.ValLoop")
test_cfg = dict(type="mmengine.TestLoop")
optim_wrapper = dict(
    optimizer=dict(type="mmengine.SGD", lr=5e-8, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(
        bias_lr_mult=2.0,
        custom_keys={
            "decode_head.fusion_bias": dict(lr_mult=20.0),
            **{f"decode_head.sides.{side}.bias": dict(lr_mult=20.0) for side in range(4)},
            "decode_head": dict(lr_mult=10.0),
        },
    ),
)
param_scheduler = [dict(type="mmengine.MultiStepLR", milestones=[10_000, 20_000], gamma=0.1, by_epoch=False)]
auto_scale_lr = dict(enable=False, base_batch_size=10)
randomness = dict(seed=0)
