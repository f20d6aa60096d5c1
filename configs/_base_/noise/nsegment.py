# NSegment's elastic deformation as label noise: half of the maps, one of fifteen strengths each.
noise = dict(type="noisyseg.ElasticMap", alpha=[1, 15, 30, 50, 100], sigma=[3, 5, 10], rate=0.5)
