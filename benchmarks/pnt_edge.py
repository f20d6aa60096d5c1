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
notes = [
    "Edge labels lie beside the edges: in each training image they are moved by a smooth random displacement of 4 px "
    "root mean square, 16 px correlation length, cut at 15 px. What does that cost a detector, and which share of it "
    "do methods win back that know of shifts? The aim for PNT-Edge is at least half, on two of three data sets.",
    "A small CASENet is trained from random weights on 96 images of each data set, and judged "
    "against the clean edges of 48 other images: the borders of objects in synthetic scenes as one class, those of the "
    "11 classes of CamVid, and the contours of BSDS500, where training has one annotator an image, drawn by its name, "
    "and validation all of them. Labels for training are two pixels wide, those for judging one.",
    "**Tolerance.** Predicted edges are thinned and matched one to one with labelled ones at most 1.5 px away, which "
    "is a pixel and its eight neighbours: .0066, .0069 and .0065 of the diagonal of pictures of 160 x 160 (scenes), "
    "128 x 176 (CamVid) and 128 x 192 (BSDS500). The usual .0075 is 4.3 px on BSDS500 as published and 1.7 px at this "
    "size. Pixels here are those of the small pictures: 4 px are what 10 px are on BSDS500 as published, so these are "
    "large errors. ODS of 33 thresholds, mean over classes.",
    "All methods have the same iterations, images, batches and first weights, and the detector has the same optimizer "
    "and learning rates. PNT-Edge as published trains its detector in 280 of them as it is, then the field of shifts "
    "in 120, and the detector with it in 200, with the published weights of terms. PNT-Edge joint, which is ours, "
    "warms up in 200 and then trains both at once, with smoothness of the field in place of complexity. The one called "
    "aligned, ours too, begins after 20, and its field is drawn to where alignment would move the labels. Alignment "
    "itself begins after 300.",
    "**What was chosen, and on what.** The settings of PNT-Edge joint (smoothness, length of the warm-up, learning "
    "rate of the field) and the size of the pictures come from about thirty trainings on data sets of the same three "
    "kinds made with another seed: other scenes, and other displacements on the same images of CamVid and BSDS500. "
    "Five more looked at this table's scenes and one at its CamVid: with a field that learned at 0.4 times the "
    "detector's rate, joint training had an ODS of 62 there, which is why the rate was looked into. At 96 "
    "pixels and batches of 8 no setting that was tried won anything back. The aligned target came when half of the "
    "table was there, and alignment had won back half of the loss on BSDS500, where PNT-Edge joint had not. Its "
    "settings (length of the warm-up, weights, learning rate of the field) come from thirteen trainings on BSDS500 and "
    "one on scenes with displacements of a third seed. Alignment has its defaults; nothing of it was chosen here.",
    "At 2 px and 8 px there is one seed, to see how shares change with the size of the error.",
]

sizes = dict(kind="edges", train=96, val=48, seed=1, radius=1)
shapes = dict(scenes=(160, 160), camvid=(128, 176), bsds500=(128, 192))
titles = dict(scenes="Scenes", camvid="CamVid", bsds500="BSDS500")


def edges(source: str, rms: int, seeds: list[int] | None = None) -> dict:
    """Return a data set whose training labels are shifted by ``rms`` pixels."""
    return dict(
        title=f"{titles[source]}, {rms} px",
        prepare=dict(
            source=source, recipe=f"edge_shift_{rms}", agnostic=source == "scenes", size=shapes[source][0], **sizes
        ),
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
published = dict(
    model=dict(
        _delete_=True,
        type="noisyseg.PNTEdge",
        detector={"{model}": {}},
        shift=dict(type="noisyseg.PixelShiftField", max_shift=10),
    ),
    custom_hooks=[dict(type="noisyseg.PNTEdgeStages", warmup=280, shift=120, edge=200, export=None)],
    train_dataloader=dict(dataset=dict(pipeline=train_pipeline)),
)


def joint(warmup: int, **settings: object) -> dict:
    """Return what trains the field and the detector at once after ``warmup`` iterations."""
    return dict(
        model=dict(
            _delete_=True,
            type="noisyseg.PNTEdge",
            detector={"{model}": {}},
            shift=dict(type="noisyseg.PixelShiftField", channels=16, depth=2),
            confidence="probability",
            complexity_weight=0.0,
            **settings,
        ),
        optim_wrapper=dict(paramwise_cfg=dict(custom_keys={"shift.": dict(lr_mult=0.1)})),
        custom_hooks=[dict(type="noisyseg.PNTEdgeStages", warmup=warmup, joint=600 - warmup, export=None)],
    )


methods = dict(
    noisy=dict(title="Plain"),
    clean=dict(title="Plain, clean labels", labels="clean"),
    joint=dict(title="PNT-Edge joint", config=joint(200, target_weight=0.0, smoothness_weight=0.3)),
    aligned=dict(
        title="PNT-Edge joint, aligned",
        config=joint(20, target="aligned", target_weight=0.1, smoothness_weight=0.3),
        data=strong,
        note="The field is drawn to where alignment would move the labels.",
    ),
    published=dict(title="PNT-Edge as published", config=published, data=strong),
    dilation=dict(
        title="Dilation",
        config=dict(model=dict(dilation=2)),
        data=strong,
        note="Labels two pixels wider on either side.",
    ),
    alignment=dict(
        title="Alignment",
        config=dict(model=dict(type="noisyseg.AlignedEdgeDetector", start=300)),
        data=strong,
        note="Labels move one to one to where the network sees the edge, in the manner of SEAL, in the second half.",
    ),
)
