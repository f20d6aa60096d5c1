# Dilation or erosion by 7 to 9 pixels ("J3", DE noise) for lungs of 256 x 256 pixels (JSRT).
noise = dict(
    type="noisyseg.Recipe",
    noises=[dict(type="noisyseg.EuclideanScale", levels=(7, 9))],
)
