"""The model of class noise inside a model of maps."""

from __future__ import annotations

from noisyseg.labels import Instances
from noisyseg.noise.build import NoiseConfig, build_noise
from noisyseg.noise.classes import ClassNoise


def class_rule(noise: NoiseConfig, name: str) -> ClassNoise:
    """Returns the model of class noise that ``noise`` is or describes.

    Args:
        noise: Model or config.
        name: The argument that it comes from, for messages.

    Raises:
        ValueError: It is another kind of model.
    """
    model = build_noise(noise, name, takes=Instances)
    if not isinstance(model, ClassNoise):
        raise ValueError(f"{name}: expected class noise, such as noisyseg.ClassConfusion, got {model.op}")
    return model
