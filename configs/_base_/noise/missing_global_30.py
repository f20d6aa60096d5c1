# Exactly 30 % of all objects missing, drawn from the whole data set.
noise = dict(
    type="noisyseg.Recipe",
    noises=[dict(type="noisyseg.Missing", rate=0.3, protocol="global_exact")],
)
