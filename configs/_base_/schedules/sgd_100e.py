# ADELE's on SegTHOR, in epochs. What we know of it names no weight decay and no change of the rate.
train_cfg = dict(type="mmengine.EpochBasedTrainLoop", max_epochs=100, val_interval=10)
val_cfg = dict(type="mmengine.ValLoop")
test_cfg = dict(type="mmengine.TestLoop")
optim_wrapper = dict(optimizer=dict(type="mmengine.SGD", lr=0.01, momentum=0.99))
param_scheduler = []
auto_scale_lr = dict(enable=False, base_batch_size=5)
randomness = dict(seed=0)
