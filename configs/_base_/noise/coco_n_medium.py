# COCO-N "medium" (public generator), seeded, with boxes and areas recomputed. Lengths are pixels of the original image.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.ClassConfusion", rate=0.3),
        dict(
            type="noisyseg.OneOf",
            probs=[0.25, 0.25, 0.25],
            noises=[
                dict(type="noisyseg.Approximation", tolerance=10),
                dict(type="noisyseg.Localization", sigma=3),
                dict(type="noisyseg.Scale", size=5),
            ],
        ),
    ],
)
