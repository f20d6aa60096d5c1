# After half of the training, labels move one to one to where the network sees their edges.
_base_ = "../edge_baseline/edge_baseline_casenet-r18-small_2k_scenes-edge-shift-4-online.py"
model = dict(type="noisyseg.AlignedEdgeDetector", start=1000)
