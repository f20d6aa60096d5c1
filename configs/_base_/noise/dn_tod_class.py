# DN-TOD (arXiv 2401.08056), mode "class": a fifth of the objects of another class.
noise = dict(type="noisyseg.Recipe", noises=[dict(type="noisyseg.ClassConfusion", rate=0.2, include_self=False)])
