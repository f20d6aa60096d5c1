# Box noise of Li et al. (arXiv 2003.01285) at 20 %, without their class noise; the formula is not verified.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.CoordinateJitter", level=0.2),
    ],
)
