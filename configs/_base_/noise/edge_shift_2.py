# Edges moved by a smooth displacement of 2 px RMS and 16 px correlation length, cut at 15 px. For EdgeMap labels.
noise = dict(type="noisyseg.EdgeShift", rms=2, length=16, max_shift=15)
