"""One row a model of semantic maps: a config that changes the map of the generic tests, whatever the seed."""

RECIPE = {
    "type": "noisyseg.Recipe",
    "noises": [
        {"type": "noisyseg.ClassConfusion", "rate": 0.5},
        {"type": "noisyseg.Localization", "sigma": 3},
        {"type": "noisyseg.Scale", "size": 5},
    ],
}
DROP = {"type": "noisyseg.Recipe", "on_empty": "drop", "noises": [{"type": "noisyseg.Scale", "size": 9}]}
GROUPS = {"one": ["ground", "a"], "two": ["b", "c"]}

MAPS = {
    "boundary": {"type": "noisyseg.BoundaryNoise", "radius": [1, 4]},
    "boundary_grow": {
        "type": "noisyseg.BoundaryNoise",
        "radius": 2,
        "direction": "grow",
        "unit": "component",
        "rate": 0.7,
    },
    "boundary_shrink": {
        "type": "noisyseg.BoundaryNoise",
        "radius": 2,
        "direction": "shrink",
        "rate": 0.7,
        "background": [0],
        "fill": "ignore",
    },
    "by_region": {"type": "noisyseg.ByRegion", "noise": RECIPE},
    "by_region_drop": {"type": "noisyseg.ByRegion", "noise": DROP, "background": [0], "fill": "ignore"},
    "by_region_number": {"type": "noisyseg.ByRegion", "noise": {"type": "noisyseg.Scale", "size": 5}, "fill": 0},
    "chain": {
        "type": "noisyseg.Chain",
        "noises": [
            {"type": "noisyseg.ShiftNoise", "distance": 4},
            {"type": "noisyseg.SwapNoise", "unit": "component", "rate": 0.6},
            {"type": "noisyseg.ShiftNoise", "distance": 4},
        ],
    },
    "click_disc": {"type": "noisyseg.ClickDisc", "radius": 4},
    "coarse_polygons": {"type": "noisyseg.CoarsePolygons", "delta": 4, "rate": 0.7, "background": [0]},
    "coarse_polygons_class": {
        "type": "noisyseg.CoarsePolygons",
        "delta": 8,
        "unit": "class",
        "rate": None,
        "fill": "ignore",
    },
    "drop": {"type": "noisyseg.DropNoise"},
    "drop_component": {"type": "noisyseg.DropNoise", "unit": "component", "rate": 0.5, "drop_to": "ignore"},
    "drop_number": {"type": "noisyseg.DropNoise", "background": [0], "drop_to": 0},
    "elastic": {"type": "noisyseg.ElasticMap", "alpha": [50, 100], "sigma": 3, "rate": 1.0},
    "map_confusion": {
        "type": "noisyseg.MapConfusion",
        "noise": {"type": "noisyseg.ClassConfusion", "rate": 0.8},
    },
    "map_confusion_class": {
        "type": "noisyseg.MapConfusion",
        "noise": {"type": "noisyseg.PairConfusion", "rate": 0.7, "pairs": {"a": "b", "b": "a", "c": "ground"}},
        "unit": "class",
    },
    "map_confusion_pixel": {
        "type": "noisyseg.MapConfusion",
        "noise": {"type": "noisyseg.GroupConfusion", "rate": 0.4, "groups": GROUPS},
        "unit": "pixel",
        "background": [1],
    },
    "markov": {"type": "noisyseg.MarkovMap", "steps": 20, "theta1": 0.7, "theta2": 0.2},
    "markov_argmax": {
        "type": "noisyseg.MarkovMap",
        "steps": 20,
        "theta1": 0.3,
        "theta2": 0.2,
        "theta3": 0.1,
        "classes": [3, 1, 2],
        "multi_class": "argmax",
        "fill": 0,
    },
    "medical": {"type": "noisyseg.MedicalNoise"},
    "medical_official": {"type": "noisyseg.MedicalNoise", "order": [1, 3, 2], "mode": "official"},
    "shift": {"type": "noisyseg.ShiftNoise", "distance": [3, 8]},
    "shift_component": {
        "type": "noisyseg.ShiftNoise",
        "distance": 1.0,
        "relative": True,
        "unit": "component",
        "rate": 0.7,
        "fill": 1,
    },
    "superpixels": {"type": "noisyseg.SuperpixelNoise", "n_segments": 40, "rate": 0.7},
    "superpixels_random": {"type": "noisyseg.SuperpixelNoise", "n_segments": 40, "rate": 0.5, "rule": "random"},
    "swap": {"type": "noisyseg.SwapNoise"},
    "swap_matrix": {
        "type": "noisyseg.SwapNoise",
        "unit": "component",
        "rate": 0.5,
        "confusion": {"type": "noisyseg.GroupConfusion", "rate": 0.1, "groups": GROUPS},
    },
}

# With these settings nothing may change at all.
MAPS_NOTHING = {
    "boundary": {"type": "noisyseg.BoundaryNoise", "radius": 0},
    "boundary_rate": {"type": "noisyseg.BoundaryNoise", "radius": 5, "rate": 0.0},
    "by_region": {"type": "noisyseg.ByRegion", "noise": {"type": "noisyseg.Recipe", "noises": []}},
    "by_region_background": {
        "type": "noisyseg.ByRegion",
        "noise": {"type": "noisyseg.ClassConfusion", "rate": 0},
        "background": [0],
        "fill": "ignore",
    },
    "by_region_number": {"type": "noisyseg.ByRegion", "noise": {"type": "noisyseg.Scale", "size": 1}, "fill": 2},
    "click_disc": {"type": "noisyseg.ClickDisc", "radius": 4, "rate": 0.0},
    "coarse_polygons": {"type": "noisyseg.CoarsePolygons", "delta": 1},
    "coarse_polygons_image_rate": {"type": "noisyseg.CoarsePolygons", "delta": 8, "image_rate": 0.0},
    "drop": {"type": "noisyseg.DropNoise", "image_rate": 0.0},
    "drop_large": {"type": "noisyseg.DropNoise", "min_area": 10**6},
    "drop_background": {"type": "noisyseg.DropNoise", "background": [0, 1, 2, 3]},
    "elastic": {"type": "noisyseg.ElasticMap", "rate": 0.0},
    "elastic_alpha": {"type": "noisyseg.ElasticMap", "alpha": 0, "rate": 1.0},
    "map_confusion": {"type": "noisyseg.MapConfusion", "noise": {"type": "noisyseg.ClassConfusion", "rate": 0}},
    "map_confusion_pixel": {
        "type": "noisyseg.MapConfusion",
        "noise": {"type": "noisyseg.ClassConfusion", "rate": 0},
        "unit": "pixel",
    },
    "markov": {"type": "noisyseg.MarkovMap", "steps": 0, "theta1": 0.7, "theta2": 0.1, "blur_sigma": 0},
    "medical": {"type": "noisyseg.MedicalNoise", "rate": 0.0},
    "medical_steps": {"type": "noisyseg.MedicalNoise", "steps": [0, 0]},
    "shift": {"type": "noisyseg.ShiftNoise", "distance": 0},
    "superpixels": {"type": "noisyseg.SuperpixelNoise", "rate": 0.0},
    "swap": {"type": "noisyseg.SwapNoise", "unit": "component", "rate": 0.0},
}
