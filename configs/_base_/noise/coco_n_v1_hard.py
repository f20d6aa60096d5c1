# COCO-N "hard" of the second generator ("v1"): lost objects and wrong classes, 5 % each, and one mistake of shape.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.Missing", rate=0.05, guard="last"),
        dict(type="noisyseg.GroupConfusion", rate=0.05, include_self=False),
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
