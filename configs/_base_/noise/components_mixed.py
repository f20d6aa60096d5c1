# Objects on a ground: a quarter under a wrong name, three of twenty overlooked, and half of the rest drawn by 1 or 2
# pixels too wide or too tight. The mixture and its rates are ours.
noise = dict(
    type="noisyseg.Chain",
    noises=[
        dict(
            type="noisyseg.MapConfusion",
            noise=dict(type="noisyseg.ClassConfusion", rate=0.25),
            unit="component",
            background=[0],
        ),
        dict(type="noisyseg.DropNoise", unit="component", rate=0.15, background=[0], drop_to=0),
        dict(
            type="noisyseg.BoundaryNoise",
            radius=[1, 2],
            direction="either",
            unit="component",
            rate=0.5,
            background=[0],
            fill=0,
        ),
    ],
)
