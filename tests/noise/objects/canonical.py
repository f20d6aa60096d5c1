"""One row a model of forgotten, invented, split and merged objects."""

EVERY = {
    "missing": {"type": "noisyseg.Missing", "rate": 0.5},
    "missing_guarded": {"type": "noisyseg.Missing", "rate": 0.9, "guard": "last"},
    "missing_half": {"type": "noisyseg.Missing", "protocol": "remove_half"},
    "missing_exact": {"type": "noisyseg.Missing", "rate": 0.5, "protocol": "global_exact"},
}

NOTHING = {
    "missing": {"type": "noisyseg.Missing", "rate": 0},
    "missing_exact": {"type": "noisyseg.Missing", "rate": 0.0, "protocol": "per_class_exact"},
}
