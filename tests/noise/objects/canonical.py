"""Canonical rows of the models of forgotten, invented, split and merged objects."""

CONFUSE = {"type": "noisyseg.ClassConfusion", "rate": 1.0, "include_self": False}
GROW = {"type": "noisyseg.Scale", "size": 3}

EVERY = {
    "bogus": {"type": "noisyseg.Bogus", "rate": 0.5, "max_iou": 0.9},
    "bogus_copy": {
        "type": "noisyseg.Bogus",
        "rate": 1.0,
        "share_of": "clean",
        "size": "copy",
        "spread": "bernoulli",
        "mask": "copy",
        "max_iou": None,
    },
    "bogus_log_normal": {
        "type": "noisyseg.Bogus",
        "rate": 0.6,
        "size": "log_normal",
        "spread": "proportional",
        "mask": "ellipse",
        "max_iou": None,
    },
    "exactly": {"type": "noisyseg.Exactly", "noise": CONFUSE, "rate": 0.5},
    "exactly_scale": {"type": "noisyseg.Exactly", "noise": GROW, "rate": 0.9},
    "merge": {"type": "noisyseg.Merge", "rate": 1.0, "gap": 3},
    "missing": {"type": "noisyseg.Missing", "rate": 0.5},
    "missing_class": {"type": "noisyseg.Missing", "rate": 0.6, "protocol": "per_class_exact"},
    "missing_exact": {"type": "noisyseg.Missing", "rate": 0.5, "protocol": "global_exact"},
    "missing_guarded": {"type": "noisyseg.Missing", "rate": 0.9, "guard": "last"},
    "missing_half": {"type": "noisyseg.Missing", "protocol": "remove_half"},
    "missing_size": {"type": "noisyseg.Missing", "rate": 0.5, "protocol": "size_biased", "beta": 0.5},
    "objects_recipe": {
        "type": "noisyseg.Recipe",
        "noises": [
            {"type": "noisyseg.Split", "rate": 0.7},
            {"type": "noisyseg.Merge", "rate": 0.5, "gap": 2},
            {"type": "noisyseg.Missing", "rate": 0.3},
            {"type": "noisyseg.Bogus", "rate": 0.5, "max_iou": 0.9},
            GROW,
            {"type": "noisyseg.ClassConfusion", "rate": 0.5},
        ],
    },
    "split": {"type": "noisyseg.Split", "rate": 1.0},
    "split_parts": {
        "type": "noisyseg.Chain",
        "noises": [{"type": "noisyseg.Split", "rate": 0.8, "by": "parts"}, CONFUSE | {"rate": 0.5}],
    },
    "una": {"type": "noisyseg.Una", "rate": 0.4, "box_noise": GROW},
}

NOTHING = {
    "bogus": {"type": "noisyseg.Bogus", "rate": 0},
    "bogus_bernoulli": {"type": "noisyseg.Bogus", "rate": 0, "size": "copy", "spread": "bernoulli"},
    "exactly": {"type": "noisyseg.Exactly", "noise": CONFUSE, "rate": 0.1},
    "merge": {"type": "noisyseg.Merge", "rate": 0.0},
    "missing": {"type": "noisyseg.Missing", "rate": 0},
    "missing_exact": {"type": "noisyseg.Missing", "rate": 0.0, "protocol": "per_class_exact"},
    "split": {"type": "noisyseg.Split", "rate": 0.0},
    "una": {"type": "noisyseg.Una", "rate": 0.0, "box_noise": GROW},
}
