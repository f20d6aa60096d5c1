# Markov boundary noise "J1" for hearts of 256 x 256 pixels (JSRT), outwards: the settings of the lungs.
_base_ = "markov_j1_lung.py"
