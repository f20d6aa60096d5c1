# Every object on a ground drawn too wide or too tight by 2 to 4 pixels, by the toss of a coin. The family is that of
# arXiv 2308.02498 ("DE"); that it is drawn for each component instead of each class, and the distances, are ours.
noise = dict(
    type="noisyseg.BoundaryNoise",
    radius=[2, 4],
    direction="either",
    unit="component",
    rate=1.0,
    background=[0],
    fill=0,
)
