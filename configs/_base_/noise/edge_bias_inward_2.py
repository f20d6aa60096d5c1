# Edges moved 2 px into the smaller of two regions. For EdgeMap labels.
noise = dict(type="noisyseg.EdgeBias", offset=-2)
