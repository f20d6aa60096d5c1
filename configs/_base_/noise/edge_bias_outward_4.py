# Edges moved 4 px out of the smaller of two regions. For EdgeMap labels.
noise = dict(type="noisyseg.EdgeBias", offset=4)
