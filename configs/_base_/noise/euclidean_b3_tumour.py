# Dilation or erosion by 3 to 5 pixels ("B3", DE noise) for brain tumours (BraTS 2020).
noise = dict(
    type="noisyseg.Recipe",
    noises=[dict(type="noisyseg.EuclideanScale", levels=(3, 5))],
)
