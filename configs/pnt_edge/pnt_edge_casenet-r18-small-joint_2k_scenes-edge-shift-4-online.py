# Labels lie beside the edges; detector and field of shifts learn at once, each from what the other has found so far.
_base_ = "../edge_baseline/edge_baseline_casenet-r18-small_2k_scenes-edge-shift-4-online.py"
model = dict(
    _delete_=True,
    type="noisyseg.PNTEdge",
    detector=_base_.model,
    shift=dict(type="noisyseg.PixelShiftField", channels=16, depth=2),
    confidence="probability",
    target_weight=0.0,
    complexity_weight=0.0,
    smoothness_weight=0.3,
)
# At rates near the detector's own the field stays near 0 for hundreds of iterations.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={"shift.": dict(lr_mult=0.1)}))
custom_hooks = [dict(type="noisyseg.PNTEdgeStages", warmup=700, joint=1300)]
