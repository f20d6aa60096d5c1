# 30 % more edges: Canny's (settings of SBD) more than 5 px from a true one. For EdgeMap labels with images.
noise = dict(type="noisyseg.EdgeSpurious", rate=0.3, distance=5, sigma=1.5, low=25, high=150)
