# DN-TOD (arXiv 2401.08056), mode "missing": a fifth of the objects gone, each by itself.
noise = dict(type="noisyseg.Recipe", noises=[dict(type="noisyseg.Missing", rate=0.2)])
