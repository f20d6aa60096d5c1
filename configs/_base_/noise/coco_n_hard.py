# COCO-N "hard" (public generator), seeded, with boxes and areas recomputed. Lengths are pixels of the original image.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.ClassConfusion", rate=0.4),
        dict(
            type="noisyseg.OneOf",
            probs=[0.3, 0.3, 0.3],
            noises=[
                dict(type="noisyseg.Approximation", tolerance=15),
                dict(type="noisyseg.Localization", sigma=4),
                dict(type="noisyseg.Scale", size=7),
            ],
        ),
    ],
)
