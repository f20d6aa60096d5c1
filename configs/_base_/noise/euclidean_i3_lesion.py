# Dilation or erosion by 7 to 9 pixels ("I3", DE noise) for skin lesions (ISIC 2017).
noise = dict(
    type="noisyseg.Recipe",
    noises=[dict(type="noisyseg.EuclideanScale", levels=(7, 9))],
)
