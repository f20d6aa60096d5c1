# Label maps moved as edge_shift_2 moves edges, but for its limit: 2 px RMS, 16 px correlation length.
noise = dict(type="noisyseg.ElasticMap", alpha=138.9, sigma=16, rate=1)
