# Dilation or erosion by 3 to 5 pixels ("J3", DE noise) for clavicles of 256 x 256 pixels (JSRT).
noise = dict(
    type="noisyseg.Recipe",
    noises=[dict(type="noisyseg.EuclideanScale", levels=(3, 5))],
)
