# Symmetric class noise of Noisy-LVIS (arXiv 2211.13435, SN) at 20 %: any class, the own one and the last one included.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.ClassConfusion", rate=0.2),
    ],
)
