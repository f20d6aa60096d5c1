# 40 % of the components of a map under a wrong name, any other class alike. The rate counts components, not pixels.
noise = dict(type="noisyseg.SwapNoise", unit="component", rate=0.4)
