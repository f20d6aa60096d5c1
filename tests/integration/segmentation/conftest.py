"""A U-Net small enough to train within a test."""

import copy

import pytest
from mmengine.config import Config


@pytest.fixture(scope="session")
def tiny_model(repository):
    model = Config.fromfile(repository / "tests" / "tiny_unet.py").model.to_dict()
    del model["data_preprocessor"]
    return model


@pytest.fixture
def small_unet(tiny_model):
    """Return a function that returns its config, for three classes; ``head`` replaces settings of the decode head."""

    def build(norm=None, **head):
        model = copy.deepcopy(tiny_model)
        model["decode_head"] |= dict(num_classes=3, loss_decode=dict(type="noisyseg.CrossEntropy")) | head
        if norm is not None:
            model["backbone"]["norm_cfg"] = model["decode_head"]["norm_cfg"] = norm
        return model

    return build
