# All but one object of each image missing; our reading of the "extreme" split of others, not verified.
noise = dict(type="noisyseg.Recipe", noises=[dict(type="noisyseg.Missing", protocol="keep_one")])
