# Symmetric class noise of LNCIS (ECCV 2020) at 60 %: any class, the own one and the last one included.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.ClassConfusion", rate=0.6),
    ],
)
