# COCO-N "medium" with the quirks of the authors' files: stale boxes, vanished masks, noisy crowds, holes filled.
noise = dict(
    type="noisyseg.Recipe",
    on_empty="keep",
    boxes="keep",
    crowds="noise",
    noises=[
        dict(type="noisyseg.ClassConfusion", rate=0.3),
        dict(
            type="noisyseg.OneOf",
            probs=[0.25, 0.25, 0.25],
            noises=[
                dict(type="noisyseg.Approximation", tolerance=10, mode="official"),
                dict(type="noisyseg.Localization", sigma=3, mode="official"),
                dict(type="noisyseg.Scale", size=5),
            ],
        ),
    ],
)
