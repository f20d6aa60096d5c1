import pytest

from noisyseg.integration.recipes import load_recipe
from noisyseg.noise import build_noise
from noisyseg.noise.boxes import CenterScaleJitter, CoordinateJitter, GaussianJitter


@pytest.mark.parametrize(
    ("recipe", "model", "setting", "value"),
    [
        *((f"oa_mil_{rate}", CenterScaleJitter, "level", rate / 100) for rate in (10, 20, 30, 40)),
        *((f"coordinate_boxes_{rate}", CoordinateJitter, "level", rate / 100) for rate in (20, 40)),
        ("gaussian_boxes_05", GaussianJitter, "gamma", 0.05),
        ("gaussian_boxes_10", GaussianJitter, "gamma", 0.1),
    ],
)
def test_the_settings_are_the_published_ones(recipe, model, setting, value):
    (noise,) = build_noise(load_recipe(recipe)).noises
    assert type(noise) is model
    assert getattr(noise, setting) == value
    assert (noise.prob, noise.iou_range, noise.mask_policy) == (1.0, None, "keep")
