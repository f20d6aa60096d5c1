# Edges moved by 4 px RMS, farther where Canny (settings of SBD) finds much and less elsewhere. For EdgeMap labels.
noise = dict(type="noisyseg.EdgeDensityShift", rms=4, length=16, max_shift=15, sigma=1.5, low=25, high=150)
