# ADELE's noise for SegTHOR with the quirk of the released code: what shrinks may clear pixels of its neighbours.
noise = dict(
    type="noisyseg.MedicalNoise",
    order=[1, 3, 4, 2],
    background=0,
    rate=1.0,
    steps=[2, 4],
    max_ratio=32.0,
    mode="official",
)
