# Logs and checkpoints count iterations, for every schedule here.
_base_ = "mmdet::_base_/default_runtime.py"
default_hooks = dict(
    logger=dict(interval=50, log_metric_by_epoch=False),
    checkpoint=dict(by_epoch=False, interval=10_000, max_keep_ckpts=2),
)
log_processor = dict(by_epoch=False)
custom_hooks = [dict(type="mmdet.NumClassCheckHook")]
