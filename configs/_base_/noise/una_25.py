# UNA (arXiv 2312.13822) at noise ratio 0.25: objects missing, boxes drawn anew, classes confused, objects invented.
noise = dict(
    type="noisyseg.Recipe",
    noises=[dict(type="noisyseg.Una", rate=0.25, box_noise=dict(type="noisyseg.ResampledBox"))],
)
