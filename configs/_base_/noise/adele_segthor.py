# ADELE's noise for SegTHOR ("final" in the released code): each slice too tight or too loose, by a share of the size of
# each organ. For maps of five classes: 0 background, 1 to 4 organs. Every slice is hit: keep it off validation data.
noise = dict(type="noisyseg.MedicalNoise", order=[1, 3, 4, 2], background=0, rate=1.0, steps=[2, 4])
