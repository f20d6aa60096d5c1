# The same in maps without a ground: every component of every class grows over its neighbours, or gives up to them.
noise = dict(type="noisyseg.BoundaryNoise", radius=[2, 4], direction="either", unit="component", rate=1.0)
