# COCO-N "easy" (public generator), seeded, with boxes and areas recomputed. Lengths are pixels of the original image.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.ClassConfusion", rate=0.2),
        dict(
            type="noisyseg.OneOf",
            probs=[0.2, 0.2, 0.2],
            noises=[
                dict(type="noisyseg.Approximation", tolerance=5),
                dict(type="noisyseg.Localization", sigma=2),
                dict(type="noisyseg.Scale", size=3),
            ],
        ),
    ],
)
