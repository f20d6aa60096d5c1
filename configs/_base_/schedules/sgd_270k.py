# detectron2's "3x" in iterations, at the batch of 4 and the rate of 0.0025 of the COCO-N runs.
train_cfg = dict(type="mmengine.IterBasedTrainLoop", max_iters=270_000, val_interval=30_000)
val_cfg = dict(type="mmengine.ValLoop")
test_cfg = dict(type="mmengine.TestLoop")
optim_wrapper = dict(optimizer=dict(type="mmengine.SGD", lr=0.0025, momentum=0.9, weight_decay=1e-4))
param_scheduler = [
    dict(type="mmengine.LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=1000),
    dict(
        type="mmengine.MultiStepLR",
        milestones=[210_000, 250_000],
        gamma=0.1,
        by_epoch=False,
        begin=0,
        end=270_000,
    ),
]
auto_scale_lr = dict(enable=False, base_batch_size=4)
