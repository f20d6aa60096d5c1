# COCO-N "high" of the third generator ("v2"): every object redrawn, 5 % lost, 5 % of another class of the same group.
noise = dict(
    type="noisyseg.Recipe",
    noises=[
        dict(type="noisyseg.Missing", rate=0.05, guard="last"),
        dict(type="noisyseg.GroupConfusion", rate=0.05, include_self=False, ungrouped="together"),
        dict(type="noisyseg.RedrawnPolygons", tolerance=(15, 10), sigma=(4, 2), size=(7, 4)),
    ],
)
