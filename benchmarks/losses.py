"""Every loss on three small data sets with synthetic noise; `make bench-losses` runs it."""

from typing import Any

name = "losses"
title = "Losses under label noise"
base = "segmentation.py"
seeds = [0, 1, 2]
reference = "ce_noisy"
notes = [
    "Which losses help when a network can learn the mistakes of its labels by heart? A small U-Net is trained from "
    "random weights on 32 images of three data sets, with clean and with noisy labels, and judged against the clean "
    "labels of 32 others. Cross entropy on clean labels and on noisy ones is the frame: what can be won, and what each "
    "loss has to beat.",
    "Every method has the same iterations, optimizer, learning rates, images and first weights, and the settings of "
    "its paper or of its class here; no method was tuned. What they share was chosen, in about ten trial runs of cross "
    "entropy on these data sets: sizes, iterations, learning rate and first weights such that clean and noisy labels "
    "give different scores on the clean validation labels, which may favour cross entropy. AdamW divides by the size "
    "of the gradient, so a loss is not slow because it is small. Another budget, network or noise can order the losses "
    "differently.",
    "The budget is small on purpose, so that the table fits into an hour or two of two cores. Cross entropy on noisy "
    "labels loses only 1 to 3 points from its best validation to its last, and on DSB2018 its curve still rises late: "
    "the table says more about what is learnt from wrong labels than about long memorization.",
    "`make bench-losses` makes the data, runs what is not finished and writes this page; "
    "`tools/benchmark.py benchmarks/losses.py --list` lists the cells. Reverse cross entropy alone is left out: it is "
    "proportional to the mean absolute error.",
]

sizes = dict(train=32, val=32, seed=0)
data = dict(
    camvid=dict(
        title="CamVid, class noise",
        prepare=dict(source="camvid", size=64, recipe="component_swap_40", **sizes),
    ),
    dsb2018=dict(
        title="DSB2018 nuclei, dilated, eroded, missing",
        prepare=dict(source="dsb2018", size=80, recipe="dilate_erode_missing", **sizes),
    ),
    scenes=dict(
        title="Scenes, mixed",
        prepare=dict(source="scenes", size=64, recipe="components_mixed", **sizes),
    ),
)
objects = ["dsb2018", "scenes"]  # where class 0 is the ground


def with_loss(title: str, *losses: dict, head: dict | None = None, **fields: Any) -> dict:  # noqa: ANN401 - of a method
    """Return a method that is the base with other losses in the decode head."""
    loss_decode = dict(_delete_=True, **losses[0]) if len(losses) == 1 else list(losses)
    decode_head = dict(loss_decode=loss_decode, **(head or {}))
    return dict(title=title, config=dict(model=dict(decode_head=decode_head)), **fields)


def noisyseg(name: str, **settings: Any) -> dict:  # noqa: ANN401 - of any loss
    """Return the config of a loss of this package."""
    return dict(type=f"noisyseg.{name}", **settings)


ce = noisyseg("CrossEntropy")
nce = noisyseg("NormalizedCrossEntropy")
elr = dict(strength=1.0, warm_up=50, ramp=50)
elr_head = dict(
    type="noisyseg.NoiseAwareHead",
    head="mmseg.FCNHead",
    loss_decode=noisyseg("PixelELR", _delete_=True, targets=noisyseg("TeacherTargets"), **elr),
)
dice_and_half_ce = [noisyseg("NoiseWeightedDice"), noisyseg("CrossEntropy", loss_weight=0.5)]
rounds = dict(
    model=dict(
        decode_head=dict(
            type="noisyseg.NoiseAwareHead",
            head="mmseg.FCNHead",
            expects=["pixel", "image"],
            loss_decode=dice_and_half_ce,
        )
    ),
    train_dataloader=dict(
        dataset=dict(
            pipeline=[
                dict(type="mmengine.LoadImageFromFile"),
                dict(type="mmseg.LoadAnnotations"),
                noisyseg("LoadStoredLabels"),
                noisyseg("PackSegInputs"),
            ]
        )
    ),
    custom_hooks=[
        noisyseg(
            "IterativeWeightHook",
            rounds=3,
            first_round=120,
            round_iters=140,
            pixel=noisyseg("LabelProbability"),
            image=noisyseg("SoftDiceQuality"),
            class_floor=(0.2, 0.25),
        )
    ],
)
methods = dict(
    ce_clean=dict(title="CE, clean labels", labels="clean"),
    ce_noisy=dict(title="CE"),
    focal=with_loss(
        "Focal",
        noisyseg("LabelFocalLoss"),
        note="mmseg's, which is a sigmoid for each class; a control, made for rare classes.",
    ),
    ohem=with_loss(
        "OHEM",
        ce,
        head=dict(sampler=dict(type="mmseg.OHEMPixelSampler", thresh=0.7, min_kept=500)),
        note="mmseg's sampler of hard pixels; a control, since what is mislabelled is hard.",
    ),
    gce=with_loss("GCE, q = 0.7", noisyseg("GeneralizedCrossEntropy", q=0.7)),
    truncated_gce=with_loss(
        "Truncated GCE",
        noisyseg("TruncatedGeneralizedCrossEntropy", q=0.7, k=0.5, start=200),
        note="Truncates from iteration 200.",
    ),
    mae=with_loss("MAE", noisyseg("MeanAbsoluteError")),
    sce=with_loss("SCE, 0.1 / 1", noisyseg("SymmetricCrossEntropy", alpha=0.1, beta=1.0)),
    nce=with_loss("NCE", nce),
    nce_rce=with_loss("NCE + RCE", noisyseg("ActivePassive", active=nce, passive=noisyseg("ReverseCrossEntropy"))),
    nce_mae=with_loss("NCE + MAE", noisyseg("ActivePassive", active=nce, passive=noisyseg("MeanAbsoluteError"))),
    bootstrap_soft=with_loss("Soft bootstrapping", noisyseg("Bootstrapping", mode="soft")),
    bootstrap_hard=with_loss("Hard bootstrapping", noisyseg("Bootstrapping", mode="hard")),
    ldr=with_loss("LDR", noisyseg("LDR")),
    aldr=with_loss("ALDR", noisyseg("ALDR")),
    label_smoothing=with_loss("Label smoothing 0.1", noisyseg("LabelSmoothing", epsilon=0.1)),
    max_suppression=with_loss("MaxSup 0.1", noisyseg("MaxSuppression", alpha=0.1)),
    svls=with_loss("SVLS", noisyseg("SpatiallyVaryingLabelSmoothing")),
    jensen_shannon=with_loss("Jensen-Shannon 0.5", noisyseg("JensenShannon", pi=0.5)),
    forward=with_loss(
        "Forward correction",
        noisyseg("ForwardCorrection", transition="{noise_matrix}", allow_weak_diagonal=True),
        uses_noise_rate=True,
        note="Told the true noise: the measured matrix of the training pixels, which in practice has to be estimated.",
    ),
    adaptive_k=with_loss("Adaptive-k, published", noisyseg("AdaptiveK", warmup=100), note="Acts from iteration 100."),
    adaptive_k_std=with_loss(
        "Adaptive-k, mean + std", noisyseg("AdaptiveK", rule="mean_std", warmup=100), note="Acts from iteration 100."
    ),
    dice=with_loss("Dice", noisyseg("NoiseWeightedDice"), note="The noise-weighted Dice without weights."),
    robust_dice=with_loss("Noise-robust Dice, 1.5", noisyseg("NoiseRobustDice", gamma=1.5)),
    dice_ce=with_loss("Dice + CE", noisyseg("NoiseWeightedDice"), ce),
    dice_half_ce=with_loss("Dice + CE / 2", *dice_and_half_ce, note="What the rounds train with, without weights."),
    rounds=dict(
        title="Noise-weighted Dice in rounds",
        config=rounds,
        note="Dice + CE / 2 with the weights that the model gives the labels at iterations 120 and 260.",
    ),
    elr=with_loss(
        "Pixel ELR, no target",
        noisyseg("PixelELR", **elr),
        note="The prediction itself is the target.",
    ),
    elr_teacher=dict(
        title="Pixel ELR, teacher",
        config=dict(
            model=dict(
                _delete_=True,
                type="noisyseg.TeacherStudentSegmentor",
                segmentor={"{model}": dict(decode_head=elr_head)},
                momentum=0.01,
            ),
            custom_hooks=[noisyseg("TeacherHook")],
        ),
        note="The target is an average of the network's own weights, of about the last 100 steps.",
    ),
    split=with_loss(
        "Split",
        noisyseg("SplitLoss", background_index=0),
        data=objects,
        note="Reverse cross entropy where label and prediction are both foreground, cross entropy elsewhere; made for "
        "several foreground classes.",
    ),
)
