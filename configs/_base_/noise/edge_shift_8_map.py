# Label maps moved as edge_shift_8 moves edges, but for its limit: 8 px RMS, 16 px correlation length.
noise = dict(type="noisyseg.ElasticMap", alpha=555.8, sigma=16, rate=1)
