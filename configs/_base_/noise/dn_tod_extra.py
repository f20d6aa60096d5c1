# DN-TOD (arXiv 2401.08056), mode "extra": every fifth object has a copy of its box on the background.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.Bogus", rate=0.2, share_of="clean", size="copy", spread="bernoulli", max_iou=0.2),
    ],
)
