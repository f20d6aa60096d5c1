# COCO-N "easy" with the quirks of the authors' files: stale boxes, vanished masks, noisy crowds, holes filled.
noise = dict(
    type="noisyseg.Recipe",
    on_empty="keep",
    boxes="keep",
    crowds="noise",
    noises=[
        dict(type="noisyseg.ClassConfusion", rate=0.2),
        dict(
            type="noisyseg.OneOf",
            probs=[0.2, 0.2, 0.2],
            noises=[
                dict(type="noisyseg.Approximation", tolerance=5, mode="official"),
                dict(type="noisyseg.Localization", sigma=2, mode="official"),
                dict(type="noisyseg.Scale", size=3),
            ],
        ),
    ],
)
