# One object of each image missing; our reading of the "easy" split of others, not verified.
noise = dict(type="noisyseg.Recipe", noises=[dict(type="noisyseg.Missing", protocol="remove_one")])
