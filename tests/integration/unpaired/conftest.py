"""Small scenes and a translation of a few weights."""

import pytest
import torch

from noisyseg.integration.unpaired import UnpairedTranslation
from noisyseg.scenes import write_scenes


@pytest.fixture(scope="session")
def scenes(tmp_path_factory):
    return write_scenes(tmp_path_factory.mktemp("unpaired") / "scenes", train=6, val=1, size=32)


@pytest.fixture
def small_settings():
    return dict(
        type="noisyseg.UnpairedTranslation",
        mask_critic=dict(type="noisyseg.VaeDiscriminator", width=4, latent_channels=2),
        image_critic=dict(type="noisyseg.PatchDiscriminator", in_channels=3, width=4),
        width=4,
    )


@pytest.fixture
def make_model(small_settings):
    """Returns a function that builds the small translation from seed 0, with other settings."""

    def make(**settings):
        torch.manual_seed(0)
        return UnpairedTranslation(**{k: v for k, v in (small_settings | settings).items() if k != "type"})

    return make
