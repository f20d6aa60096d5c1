# Half the objects of each image missing; our reading of the "hard" split of others, not verified.
noise = dict(type="noisyseg.Recipe", noises=[dict(type="noisyseg.Missing", protocol="remove_half")])
