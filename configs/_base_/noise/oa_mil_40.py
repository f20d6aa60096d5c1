# Box noise of OA-MIL (ECCV 2022) at 40 %: every box, centre and sides uniform.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.CenterScaleJitter", level=0.4),
    ],
)
