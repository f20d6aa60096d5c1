# Label maps moved as edge_shift_4 moves edges, but for its limit: 4 px RMS, 16 px correlation length.
noise = dict(type="noisyseg.ElasticMap", alpha=277.9, sigma=16, rate=1)
