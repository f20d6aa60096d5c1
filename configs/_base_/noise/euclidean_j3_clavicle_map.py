# Dilation and erosion J3 (JSRT clavicle) of arXiv 2308.02498 on maps,
# by 3 to 5 pixels, drawn for each class of an image.
noise = dict(type="noisyseg.BoundaryNoise", radius=[3, 5], direction="either", unit="class", background=[0])
