# Box noise of arXiv 2206.05708 with gamma 0.1; the formula is not verified.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.GaussianJitter", gamma=0.1),
    ],
)
