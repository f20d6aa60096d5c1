"""PNT-Edge against plain training, dilation and alignment, where edge labels are shifted; `make bench-pnt-edge`."""

from math import hypot

name = "pnt_edge"
title = "PNT-Edge under shifted edge labels"
base = "edge_detection.py"
score = "ODS"
seeds = [0, 1, 2]
reference = "noisy"
ceiling = "clean"
tolerance_px = 1.5
notes = []

sizes = dict(kind="edges", train=96, val=48, size=96, seed=0, radius=1)
shapes = dict(scenes=(96, 96), camvid=(96, 128), bsds500=(96, 144))
titles = dict(scenes="Scenes", camvid="CamVid", bsds500="BSDS500")


def edges(source: str, rms: int, seeds: list[int] | None = None) -> dict:
    """Return a data set whose training labels are shifted by ``rms`` pixels."""
    return dict(
        title=f"{titles[source]}, {rms} px",
        prepare=dict(source=source, recipe=f"edge_shift_{rms}", **sizes),
        values={
            "{tolerance}": tolerance_px / hypot(*shapes[source]),
            "{edge_suffix}": ".mat" if source == "bsds500" else ".png",
        },
        seeds=seeds,
    )


data = {source: edges(source, 4) for source in shapes}
data |= {f"{source}_{rms}": edges(source, rms, [0]) for rms in (2, 8) for source in shapes}
strong = list(shapes)  # where every method is compared

train_pipeline = [
    dict(type="mmengine.LoadImageFromFile"),
    dict(type="noisyseg.LoadEdgeLabels", num_classes=1),
    dict(type="mmseg.RandomFlip", prob=0.5),
    dict(type="noisyseg.ComputeImageEdges"),
    dict(type="noisyseg.PackSegInputs"),
]
pnt_edge = dict(
    model=dict(
        _delete_=True,
        type="noisyseg.PNTEdge",
        detector={"{model}": {}},
        shift=dict(type="noisyseg.PixelShiftField", max_shift=10),
    ),
    custom_hooks=[dict(type="noisyseg.PNTEdgeStages", warmup=400, shift=150, edge=250, export=None)],
    train_dataloader=dict(dataset=dict(pipeline=train_pipeline)),
)
methods = dict(
    noisy=dict(title="Plain"),
    clean=dict(title="Plain, clean labels", labels="clean"),
    pnt_edge=dict(title="PNT-Edge", config=pnt_edge),
    dilation=dict(
        title="Dilation",
        config=dict(model=dict(dilation=2)),
        data=strong,
        note="Labels two pixels wider on either side.",
    ),
    alignment=dict(
        title="Alignment",
        config=dict(model=dict(type="noisyseg.AlignedEdgeDetector", start=400)),
        data=strong,
        note="Labels move one to one to where the network sees the edge, in the manner of SEAL, in the second half.",
    ),
)
