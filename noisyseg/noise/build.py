"""From a config to a noise model; an error in it says where in the config it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from noisyseg.noise.model import NoiseModel
from noisyseg.registry import TASK_UTILS

NoiseConfig = NoiseModel | Mapping[str, Any]
# How a model names the argument that it cannot use.
ARGUMENT = re.compile(r"[a-z_]\w*(\[\d+\])*(\.[a-z_]\w*(\[\d+\])*)*: ")


class NoiseConfigError(ValueError):
    """Says which setting of a recipe cannot be used; begins with the path to it, such as ``noises[1].size``."""


def build_noise(noise: NoiseConfig, at: str = "noise", *, takes: type | None = None) -> NoiseModel:
    """Returns the model that a config dict names; a model comes back as it is.

    Args:
        noise: ``dict(type="noisyseg.Scale", size=3)``, or a model.
        at: Path to the config, for messages.
        takes: The class of labels that the model has to work on; None for any.

    Raises:
        NoiseConfigError: There is no such model, its arguments cannot be used, or it works on other labels. The
            message begins with the path to what is wrong.
    """
    model = noise if isinstance(noise, NoiseModel) else _built(noise, at)
    if takes is not None and model.takes is not takes:
        raise NoiseConfigError(f"{at}: expected noise for {takes.__name__}, but {model.op} is for {_kind(model)}")
    return model


def build_noises(noises: Sequence[NoiseConfig], at: str = "noises") -> list[NoiseModel]:
    """Returns the models of a list, which all have to work on the same class of labels.

    Raises:
        NoiseConfigError: One cannot be built, or works on other labels than the first.
    """
    if isinstance(noises, Mapping | str) or not isinstance(noises, Sequence):
        raise NoiseConfigError(f"{at}: expected a list, got {noises!r}")
    built = [build_noise(noise, f"{at}[{place}]") for place, noise in enumerate(noises)]
    for place, model in enumerate(built):
        build_noise(model, f"{at}[{place}]", takes=built[0].takes)
    return built


def _built(noise: NoiseConfig, at: str) -> NoiseModel:
    if not isinstance(noise, Mapping) or not isinstance(noise.get("type"), str):
        raise NoiseConfigError(f"{at}: expected dict(type=...), got {noise!r}")
    arguments = dict(noise)
    name = arguments.pop("type")
    arguments.pop("_scope_", None)  # mmengine puts it into what a config inherits through `noisyseg::`
    own = TASK_UTILS.module_dict.get(name.removeprefix("noisyseg."))
    try:
        # mmengine's own look-up imports torch, which costs every worker process seconds: only for models of others.
        model = TASK_UTILS.build(dict(noise)) if own is None else own(**arguments)
    except (KeyError, TypeError, ValueError) as error:
        problem = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
        raise NoiseConfigError(f"{at}.{problem}" if ARGUMENT.match(problem) else f"{at}: {problem}") from error
    if not isinstance(model, NoiseModel):
        raise NoiseConfigError(f"{at}: expected a noise model, but {name} builds a {type(model).__name__}")
    return model


def _kind(model: NoiseModel) -> str:
    return model.takes.__name__
