"""Canonical rows of the models of class noise."""

PAIRS = {"two": "five", "nine": "two"}
ROWS = [[0.1, 0.6, 0.3], [0.5, 0.0, 0.5], [0.0, 1.0, 0.0]]

EVERY = {
    "group_confusion": {"type": "noisyseg.GroupConfusion", "rate": 1.0},
    "group_confusion_given": {
        "type": "noisyseg.GroupConfusion",
        "rate": 0.8,
        "include_self": False,
        "groups": {"all": ["two", "five", "nine"]},
    },
    "group_confusion_together": {
        "type": "noisyseg.GroupConfusion",
        "rate": 0.9,
        "include_self": False,
        "groups": {"one": ["five"]},
        "ungrouped": "together",
    },
    "matrix_confusion": {"type": "noisyseg.MatrixConfusion", "matrix": ROWS},
    "pair_confusion": {"type": "noisyseg.PairConfusion", "rate": 0.9, "pairs": PAIRS},
}

NOTHING = {
    "group_confusion": {"type": "noisyseg.GroupConfusion", "rate": 0.0},
    "group_confusion_alone": {
        "type": "noisyseg.GroupConfusion",
        "rate": 1.0,
        "groups": {},
        "ungrouped": "alone",
    },
    "matrix_confusion": {"type": "noisyseg.MatrixConfusion", "matrix": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]},
    "pair_confusion": {"type": "noisyseg.PairConfusion", "rate": 0.0, "pairs": PAIRS},
    "pair_confusion_empty": {"type": "noisyseg.PairConfusion", "rate": 1.0, "pairs": {}},
}
