# Edges of coarse polygons (STEAL's simulator) of 8 px; regions keep covering the frame. For EdgeMap labels.
noise = dict(type="noisyseg.EdgeCoarse", delta=8)
