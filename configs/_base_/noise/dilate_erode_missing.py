# Small objects on a ground, as in microscopy: three of ten overlooked, and most of the others drawn by 1 or 2 pixels
# too wide or too tight. Families as in arXiv 2308.02498 and arXiv 2307.05080; rates and distances are ours.
noise = dict(
    type="noisyseg.Chain",
    noises=[
        dict(type="noisyseg.DropNoise", unit="component", rate=0.3, background=[0], drop_to=0),
        dict(
            type="noisyseg.BoundaryNoise",
            radius=[1, 2],
            direction="either",
            unit="component",
            rate=0.8,
            background=[0],
            fill=0,
        ),
    ],
)
