# Dilation or erosion by 7 to 9 pixels ("J3", DE noise) for hearts of 256 x 256 pixels (JSRT): as for lungs.
_base_ = "euclidean_j3_lung.py"
