# A fifth of the superpixels that a boundary crosses take one of the classes in them, at random.
noise = dict(type="noisyseg.SuperpixelNoise", rate=0.2, n_segments=400, compactness=10.0, rule="random")
