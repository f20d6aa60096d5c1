"""Each loss and setting that the generic tests in `test_every_loss.py` run over, as a config that a head has.

A loss that is not a function of (logits, labels, weights) alone does not belong here; it has tests of its own.
"""

CANONICAL = [
    dict(type="noisyseg.CrossEntropy"),
]
