# Asymmetric class noise of LNCIS (ECCV 2020) at 20 % for COCO: a class of the own super-category, the own one included.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.GroupConfusion", rate=0.2),
    ],
)
