"""One row a noise model: a config that hits every object it can. The generic tests run over them."""

EVERY = {
    "approximation": {"type": "noisyseg.Approximation", "tolerance": 3},
    "approximation_official": {"type": "noisyseg.Approximation", "tolerance": 3, "mode": "official"},
    "chain": {
        "type": "noisyseg.Chain",
        "noises": [{"type": "noisyseg.Localization", "sigma": 1}, {"type": "noisyseg.Scale", "size": 3}],
    },
    "class_confusion": {"type": "noisyseg.ClassConfusion", "rate": 0.8},
    "class_confusion_exclusive": {"type": "noisyseg.ClassConfusion", "rate": 1.0, "include_self": False},
    "localization": {"type": "noisyseg.Localization", "sigma": 2},
    "localization_official": {"type": "noisyseg.Localization", "sigma": 2, "mode": "official"},
    "one_of": {
        "type": "noisyseg.OneOf",
        "probs": [0.4, 0.3],
        "noises": [{"type": "noisyseg.Localization", "sigma": 2}, {"type": "noisyseg.Scale", "size": 5}],
    },
    "recipe": {
        "type": "noisyseg.Recipe",
        "noises": [
            {"type": "noisyseg.ClassConfusion", "rate": 0.5},
            {
                "type": "noisyseg.OneOf",
                "probs": [0.3, 0.3, 0.4],
                "noises": [
                    {"type": "noisyseg.Approximation", "tolerance": 5},
                    {"type": "noisyseg.Localization", "sigma": 3},
                    {"type": "noisyseg.Scale", "size": 5},
                ],
            },
        ],
    },
    "recipe_drop": {
        "type": "noisyseg.Recipe",
        "on_empty": "drop",
        "noises": [{"type": "noisyseg.Scale", "size": 9}],
    },
    "recipe_official": {
        "type": "noisyseg.Recipe",
        "on_empty": "keep",
        "boxes": "keep",
        "crowds": "noise",
        "noises": [{"type": "noisyseg.Scale", "size": 9}],
    },
    "scale": {"type": "noisyseg.Scale", "size": 5},
}

# With these settings nothing may change at all.
NOTHING = {
    "chain": {"type": "noisyseg.Chain", "noises": []},
    "class_confusion": {"type": "noisyseg.ClassConfusion", "rate": 0},
    "class_confusion_exclusive": {"type": "noisyseg.ClassConfusion", "rate": 0.0, "include_self": False},
    "one_of": {"type": "noisyseg.OneOf", "noises": [{"type": "noisyseg.Scale", "size": 9}], "probs": [0.0]},
    "recipe": {"type": "noisyseg.Recipe", "noises": []},
    "recipe_official": {
        "type": "noisyseg.Recipe",
        "noises": [{"type": "noisyseg.ClassConfusion", "rate": 0}],
        "on_empty": "keep",
        "boxes": "keep",
        "crowds": "noise",
    },
    "scale": {"type": "noisyseg.Scale", "size": 1},
}
