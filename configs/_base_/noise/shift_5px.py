# All masks 5 pixels too far to the right: the plainest biased noise.
noise = dict(
    type="noisyseg.Recipe",
    noises=[dict(type="noisyseg.Shift", dx=5)],
)
