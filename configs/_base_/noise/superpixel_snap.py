# Half of the superpixels that a boundary crosses take the class that most of their pixels have.
noise = dict(type="noisyseg.SuperpixelNoise", rate=0.5, n_segments=400, compactness=10.0, rule="snap")
