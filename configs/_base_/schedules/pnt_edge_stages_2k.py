# The three stages of PNT-Edge in one training of 2000 iterations. Stands beside a schedule of that length, whose rates
# a leaf replaces by `stage_rates`: they fall in each stage, in the last one from a fifth, as the detector is trained.
stages = dict(type="noisyseg.PNTEdgeStages", warmup=800, shift=600, edge=600)
custom_hooks = [stages]
stage_rates = [
    dict(
        type="mmengine.CosineRestartLR",
        periods=[stages["warmup"], stages["shift"], stages["edge"]],
        restart_weights=[1.0, 1.0, 0.2],
        eta_min_ratio=0.01,
        by_epoch=False,
        begin=0,
        end=2000,
    )
]
