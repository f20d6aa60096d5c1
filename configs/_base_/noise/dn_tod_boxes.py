# DN-TOD (arXiv 2401.08056), mode "boxes": every box shifted and scaled by up to a fifth of its size, whole pixels.
noise = dict(type="noisyseg.Recipe", noises=[dict(type="noisyseg.CenterScaleJitter", level=0.2, decimals=0)])
