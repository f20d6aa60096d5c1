# STEAL's simulator of coarse labels on maps, coarseness 4 pixels: every component becomes a polygon of few corners.
# Components smaller than the disc that is the least it leaves stay as they are.
noise = dict(type="noisyseg.CoarsePolygons", delta=4, min_area=29)
