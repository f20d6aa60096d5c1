# As published for SBD, on its own labels, which lie 3 pixels beside the edges on average: 20, 10 and 10 epochs of 8498
# images in batches of 8, at 5e-8, 1e-6 (the field) and 1e-9. The steps of the rate within a stage are left out.
_base_ = "../edge_baseline/edge_baseline_casenet-r101_22k_sbd-clean.py"
model = dict(
    _delete_=True,
    type="noisyseg.PNTEdge",
    detector=_base_.model,
    shift=dict(type="noisyseg.PixelShiftField", max_shift=10),
)
train_dataloader = dict(batch_size=8)
train_cfg = dict(max_iters=42_480, val_interval=42_480)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={"shift.": dict(lr_mult=20.0)}))
param_scheduler = [dict(type="mmengine.MultiStepLR", milestones=[31_860], gamma=0.02, by_epoch=False)]
custom_hooks = [dict(type="noisyseg.PNTEdgeStages", warmup=21_240, shift=10_620, edge=10_620)]
auto_scale_lr = dict(base_batch_size=8)
