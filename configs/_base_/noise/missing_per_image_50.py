# 50 % of the objects of each image missing, rounded, but never the last one.
noise = dict(
    type="noisyseg.Recipe",
    noises=[dict(type="noisyseg.Missing", rate=0.5, protocol="per_image_exact", guard="last")],
)
