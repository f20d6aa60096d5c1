# COCO-N "hard" with the quirks of the authors' files: stale boxes, vanished masks, noisy crowds, holes filled.
noise = dict(
    type="noisyseg.Recipe",
    on_empty="keep",
    boxes="keep",
    crowds="noise",
    noises=[
        dict(type="noisyseg.ClassConfusion", rate=0.4),
        dict(
            type="noisyseg.OneOf",
            probs=[0.3, 0.3, 0.3],
            noises=[
                dict(type="noisyseg.Approximation", tolerance=15, mode="official"),
                dict(type="noisyseg.Localization", sigma=4, mode="official"),
                dict(type="noisyseg.Scale", size=7),
            ],
        ),
    ],
)
