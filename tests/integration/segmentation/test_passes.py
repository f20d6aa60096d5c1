"""Predictions of flipped copies and with dropout, of a model whose answer is known."""

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from noisyseg.integration.predicting import predicting
from noisyseg.integration.segmentation.passes import Passes

IMAGE = torch.arange(3 * 4 * 6, dtype=torch.uint8).reshape(3, 4, 6)


class Pixelwise(torch.nn.Module):
    """Says the pixel itself, or, with ``place``, how far right a pixel stands."""

    def __init__(self, channels=2, place=False, p=0.0):
        super().__init__()
        self.channels, self.place = channels, place
        self.dropout, self.norm = torch.nn.Dropout(p), torch.nn.BatchNorm1d(2)

    def test_step(self, batch):
        image = batch["inputs"][0].float() / 72
        if self.place:
            image = torch.linspace(0, 1, image.shape[-1]).expand_as(image)
        image = self.dropout(image)
        scores = image[:1] if self.channels == 1 else torch.stack([-image[0], image[0]])
        return [SegDataSample(seg_logits=PixelData(data=scores))]


def predict(passes, model, number=0, key="a"):
    with predicting(model, dropout=bool(passes.dropout)):
        return passes.predict(model, IMAGE, SegDataSample(), number, key)


@pytest.mark.parametrize("flips", [(), ("horizontal",), ("vertical", "diagonal", "horizontal")])
def test_flipped_copies_are_flipped_back(flips):
    passes = Passes(flips)
    prediction = predict(passes, Pixelwise())
    expected = torch.sigmoid(2 * IMAGE[0].float() / 72)
    np.testing.assert_allclose(prediction.probs[1], expected, atol=1e-6)
    assert prediction.passes == passes.number == 1 + len(flips)


def test_the_mean_of_a_pass_and_its_mirror_is_symmetric():
    prediction = predict(Passes(("horizontal",)), Pixelwise(place=True))
    np.testing.assert_allclose(prediction.probs, prediction.probs[..., ::-1], atol=1e-6)
    assert prediction.variance.max() > 0.01


def test_one_channel_is_a_probability_already():
    prediction = predict(Passes(), Pixelwise(channels=1))
    np.testing.assert_allclose(prediction.probs[1], IMAGE[0].float() / 72, atol=1e-6)
    np.testing.assert_allclose(prediction.probs.sum(0), 1, atol=1e-6)


def test_dropout_depends_on_seed_round_and_image_alone():
    model = Pixelwise(p=0.5)
    first = predict(Passes(dropout=3), model).probs
    torch.rand(5)
    np.testing.assert_array_equal(first, predict(Passes(dropout=3), model).probs)
    for other in (
        predict(Passes(dropout=3, seed=1), model),
        predict(Passes(dropout=3), model, number=1),
        predict(Passes(dropout=3), model, key="b"),
    ):
        assert (other.probs != first).any()
    with pytest.raises(ValueError, match="the model has no dropout, so that all passes would be equal; use flips"):
        Passes(dropout=2).check_model(Pixelwise(p=0.0))


def test_the_model_and_random_states_come_back():
    model = Pixelwise(p=0.5).train()
    model.norm.eval()
    torch.manual_seed(3)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    with predicting(model, dropout=True):
        assert (model.training, model.dropout.training, model.norm.training) == (False, True, False)
        assert not torch.is_grad_enabled()
        torch.rand(3)
        np.random.random(3)  # noqa: NPY002
    assert (model.training, model.dropout.training, model.norm.training) == (True, True, False)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()  # noqa: NPY002
