# One component dropped, one under a wrong name, one in the wrong place, each in three images of ten. The families are
# those of arXiv 2307.05080; unit, rates and distances are ours.
noise = dict(
    type="noisyseg.Chain",
    noises=[
        dict(type="noisyseg.DropNoise", unit="component", image_rate=0.3, min_area=64),
        dict(type="noisyseg.SwapNoise", unit="component", image_rate=0.3, min_area=64),
        dict(type="noisyseg.ShiftNoise", distance=[5, 20], unit="component", image_rate=0.3, min_area=64),
    ],
)
