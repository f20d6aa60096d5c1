# Logs and checkpoints count epochs.
_base_ = "mmseg.py"
default_hooks = dict(
    logger=dict(log_metric_by_epoch=True),
    checkpoint=dict(by_epoch=True, interval=10),
)
log_processor = dict(by_epoch=True)
