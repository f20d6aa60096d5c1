import pytest
import torch

from noisyseg.losses import GeneralizedCrossEntropy
from noisyseg.losses.inner import inner_loss


def test_an_inner_loss_keeps_its_own_settings_and_takes_the_form():
    loss = inner_loss("x", dict(type="noisyseg.GeneralizedCrossEntropy", q=0.3, loss_weight=2.0), sigmoid=True)
    assert isinstance(loss, GeneralizedCrossEntropy)
    assert (loss.q, loss.loss_weight, loss.use_sigmoid) == (0.3, 2.0, True)


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        ("CrossEntropy", TypeError, "x: expected the config of a loss, not 'CrossEntropy'"),
        (dict(type="noisyseg.CrossEntropy", reduction="sum"), ValueError, "x: reduction belongs to the loss around it"),
        (dict(type="noisyseg.CrossEntropy", use_sigmoid=True), ValueError, "x: use_sigmoid belongs to the loss around"),
        (dict(type="noisyseg.NoiseRobustDice"), TypeError, "x: expected a loss with one value for each element"),
        (dict(type="noisyseg.AdaptiveK"), ValueError, "x: AdaptiveK counts calls or chooses elements"),
        (
            dict(type="noisyseg.TruncatedGeneralizedCrossEntropy", start=5),
            ValueError,
            "x: TruncatedGeneralizedCrossEntropy counts calls or chooses elements",
        ),
        (dict(type="noisyseg.ALDR"), ValueError, "ALDR has no sigmoid form"),
        (
            dict(type="noisyseg.SpatiallyVaryingLabelSmoothing"),
            ValueError,
            "x: SpatiallyVaryingLabelSmoothing looks beyond the single element",
        ),
    ],
)
def test_a_config_that_does_not_fit_raises(config, error, message):
    with pytest.raises(error, match=message):
        inner_loss("x", config, sigmoid=True)


def test_a_loss_that_looks_at_samples_raises(monkeypatch):
    monkeypatch.setattr(GeneralizedCrossEntropy, "context", lambda *_: {}, raising=False)
    with pytest.raises(ValueError, match="x: GeneralizedCrossEntropy looks beyond the single element"):
        inner_loss("x", dict(type="noisyseg.GeneralizedCrossEntropy"), sigmoid=False)


def test_the_config_is_left_as_it_is():
    config = dict(type="noisyseg.CrossEntropy")
    inner_loss("x", config, sigmoid=True)(torch.zeros(1, 2), torch.tensor([1]))
    assert config == dict(type="noisyseg.CrossEntropy")
