"""Canonical settings of the models of mask noise that are not in the table above; see ``tests/noise/canonical.py``."""

EVERY = {
    "affine": {"type": "noisyseg.Affine", "degrees": 20, "shift": 3, "scale": (0.7, 1.4), "shear": 10},
    "elastic": {"type": "noisyseg.Elastic", "alpha": 60, "sigma": 4},
    "elastic_choices": {"type": "noisyseg.Elastic", "alpha": [30, 60], "sigma": [2, 3]},
    "euclidean_scale": {"type": "noisyseg.EuclideanScale", "levels": (2, 4)},
    "markov_boundary": {"type": "noisyseg.MarkovBoundary", "steps": 20, "theta1": 0.7, "theta2": 0.2},
    "markov_boundary_all": {
        "type": "noisyseg.MarkovBoundary",
        "steps": 20,
        "theta1": 0.3,
        "theta2": 0.2,
        "theta3": 0.2,
        "blur_sigma": 2.0,
        "area": 600,
    },
    "polygon_scale": {"type": "noisyseg.PolygonScale", "delta": 4, "std": 1},
    "redrawn_polygons": {"type": "noisyseg.RedrawnPolygons", "tolerance": (3, 1), "sigma": (2, 0.5), "size": (3, 1)},
    "redrawn_polygons_official": {
        "type": "noisyseg.RedrawnPolygons",
        "tolerance": (3, 1),
        "sigma": (2, 0.5),
        "size": (3, 1),
        "mode": "official",
    },
    "resampled_localization": {"type": "noisyseg.ResampledLocalization", "sigma": 3, "correlation": 8, "step": 2},
    "rotate": {"type": "noisyseg.Rotate", "degrees": 30},
    "shift": {"type": "noisyseg.Shift", "dx": 2, "dy": -3, "sigma": 2},
}

NOTHING = {
    "affine": {"type": "noisyseg.Affine"},
    "elastic": {"type": "noisyseg.Elastic", "alpha": 0, "sigma": 3},
    "euclidean_scale": {"type": "noisyseg.EuclideanScale", "levels": (0, 1)},
    "markov_boundary": {"type": "noisyseg.MarkovBoundary", "steps": 0, "theta1": 0.5, "theta2": 0.5},
    "markov_boundary_still": {"type": "noisyseg.MarkovBoundary", "steps": 50, "theta1": 0.5, "theta2": 0.0},
    "polygon_scale": {"type": "noisyseg.PolygonScale", "delta": 0},
    "redrawn_polygons": {"type": "noisyseg.RedrawnPolygons", "tolerance": (0, 0), "sigma": (0, 0), "size": (1, 0)},
    "resampled_localization": {"type": "noisyseg.ResampledLocalization", "sigma": 0},
    "rotate": {"type": "noisyseg.Rotate", "degrees": 0},
    "shift": {"type": "noisyseg.Shift"},
}
