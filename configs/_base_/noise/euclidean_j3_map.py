# Dilation and erosion J3 (JSRT lung and heart) of arXiv 2308.02498 on maps,
# by 7 to 9 pixels, drawn for each class of an image.
noise = dict(type="noisyseg.BoundaryNoise", radius=[7, 9], direction="either", unit="class", background=[0])
