# Exactly 50 % of the objects of each class missing.
noise = dict(
    type="noisyseg.Recipe",
    noises=[dict(type="noisyseg.Missing", rate=0.5, protocol="per_class_exact")],
)
