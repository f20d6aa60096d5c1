# Markov boundary noise "J2" for hearts of 256 x 256 pixels (JSRT), inwards: the settings of the lungs.
_base_ = "markov_j2_lung.py"
