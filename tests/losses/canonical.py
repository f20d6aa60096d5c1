"""Each loss and setting that the generic tests in `test_every_loss.py` run over, as a config that a head has.

A loss that is not a function of (logits, labels, weights) alone does not belong here; it has tests of its own.
"""

CANONICAL = [
    dict(type="noisyseg.CrossEntropy"),
    dict(type="noisyseg.GeneralizedCrossEntropy"),
    dict(type="noisyseg.GeneralizedCrossEntropy", q=0.3),
    dict(type="noisyseg.TruncatedGeneralizedCrossEntropy", start=0, k=0.2),
    dict(type="noisyseg.MeanAbsoluteError"),
    dict(type="noisyseg.ReverseCrossEntropy"),
    dict(type="noisyseg.SymmetricCrossEntropy"),
    dict(type="noisyseg.NormalizedCrossEntropy"),
    dict(
        type="noisyseg.ActivePassive",
        active=dict(type="noisyseg.NormalizedCrossEntropy"),
        passive=dict(type="noisyseg.ReverseCrossEntropy"),
    ),
    dict(
        type="noisyseg.ActivePassive",
        active=dict(type="noisyseg.CrossEntropy"),
        passive=dict(type="noisyseg.MeanAbsoluteError"),
        beta=0.1,
    ),
    dict(type="noisyseg.Bootstrapping"),
    dict(type="noisyseg.Bootstrapping", mode="hard"),
    dict(type="noisyseg.JensenShannon"),
    dict(type="noisyseg.JensenShannon", pi=0.1),
    dict(type="noisyseg.NoiseWeightedDice"),
    dict(type="noisyseg.NoiseWeightedDice", mode="pooled", kappa=2),
    dict(type="noisyseg.NoiseRobustDice"),
    dict(type="noisyseg.NoiseRobustDice", mode="pooled"),
    dict(type="noisyseg.NoiseRobustDice", kappa=2, gamma=1.3),
    dict(type="noisyseg.LDR"),
    dict(type="noisyseg.LDR", lam=0.5, rescale="none"),
    dict(type="noisyseg.ALDR"),
    dict(type="noisyseg.ALDR", lam0=2.0, rescale="softplus"),
    dict(type="noisyseg.LabelSmoothing"),
    dict(type="noisyseg.MaxSuppression"),
    dict(type="noisyseg.SpatiallyVaryingLabelSmoothing"),
    dict(type="noisyseg.ForwardCorrection", transition=0.2),
    dict(type="noisyseg.AdaptiveK", warmup=1000),  # without the warm-up it has a memory, and tests of its own
    dict(type="noisyseg.SplitLoss", background_index=0),
    dict(type="noisyseg.SplitLoss", background_index=3, foreground=dict(type="noisyseg.GeneralizedCrossEntropy")),
]
