# Elastic noise with the settings of NSegment, for half of the objects; there it is drawn anew in every iteration.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(
            type="noisyseg.OneOf",
            probs=[0.5],
            noises=[dict(type="noisyseg.Elastic", alpha=[1, 15, 30, 50, 100], sigma=[3, 5, 10])],
        ),
    ],
)
