"""One row for each loss and setting that the generic tests in `test_every_loss.py` run over: a config, as a head has it.

A loss that is not a function of (logits, labels, weights) alone does not belong here; it has tests of its own.
"""

CANONICAL = [
    dict(type="noisyseg.CrossEntropy"),
]
