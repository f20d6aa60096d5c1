# For models that need neither host. Logs and checkpoints count iterations.
default_scope = "mmengine"
default_hooks = dict(
    logger=dict(type="mmengine.LoggerHook", interval=50, log_metric_by_epoch=False),
    checkpoint=dict(type="mmengine.CheckpointHook", by_epoch=False, interval=500, max_keep_ckpts=2),
)
log_processor = dict(by_epoch=False)
