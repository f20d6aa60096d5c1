# Logs and checkpoints count iterations, for every schedule here.
_base_ = "mmseg::_base_/default_runtime.py"
default_hooks = dict(
    timer=dict(type="mmengine.IterTimerHook"),
    logger=dict(type="mmengine.LoggerHook", interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type="mmengine.ParamSchedulerHook"),
    checkpoint=dict(type="mmengine.CheckpointHook", by_epoch=False, interval=10_000, max_keep_ckpts=2),
    sampler_seed=dict(type="mmengine.DistSamplerSeedHook"),
    visualization=dict(type="mmseg.SegVisualizationHook"),
)
