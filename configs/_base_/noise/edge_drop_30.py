# 30 % of the edge pixels gone, in arcs of 20 px. For EdgeMap labels.
noise = dict(type="noisyseg.EdgeDrop", rate=0.3, length=20)
