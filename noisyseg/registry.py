"""The registries of noisyseg: children of mmengine's, in the scope ``noisyseg``.

Keep this file free of any import but mmengine's registries. When a config names ``noisyseg.X``, mmengine
imports this file by itself and swallows an import error that comes out of it; the user then only reads that
``X`` is not registered. An import error in one of the `locations` below is shown as it is.

`locations` are imported at the first look-up, so that a component is found without ``custom_imports``.
"""

from mmengine.registry import DATASETS as ROOT_DATASETS
from mmengine.registry import HOOKS as ROOT_HOOKS
from mmengine.registry import METRICS as ROOT_METRICS
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS as ROOT_OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.registry import TASK_UTILS as ROOT_TASK_UTILS
from mmengine.registry import TRANSFORMS as ROOT_TRANSFORMS
from mmengine.registry import Registry

__all__ = ["DATASETS", "HOOKS", "METRICS", "MODELS", "OPTIM_WRAPPER_CONSTRUCTORS", "TASK_UTILS", "TRANSFORMS"]

_COMPONENTS = ["noisyseg.integration.components"]

DATASETS = Registry("dataset", parent=ROOT_DATASETS, scope="noisyseg", locations=_COMPONENTS)
HOOKS = Registry("hook", parent=ROOT_HOOKS, scope="noisyseg", locations=_COMPONENTS)
METRICS = Registry("metric", parent=ROOT_METRICS, scope="noisyseg", locations=_COMPONENTS)
MODELS = Registry(
    "model",
    parent=ROOT_MODELS,
    scope="noisyseg",
    locations=["noisyseg.losses", "noisyseg.transitions", *_COMPONENTS],
)
OPTIM_WRAPPER_CONSTRUCTORS = Registry(
    "optimizer wrapper constructor",
    parent=ROOT_OPTIM_WRAPPER_CONSTRUCTORS,
    scope="noisyseg",
    locations=_COMPONENTS,
)
TRANSFORMS = Registry("transform", parent=ROOT_TRANSFORMS, scope="noisyseg", locations=_COMPONENTS)
# Noise models and correction rules: children of TASK_UTILS, because a registry without a parent warns at each
# build when the default scope is the host's.
TASK_UTILS = Registry(
    "task util",
    parent=ROOT_TASK_UTILS,
    scope="noisyseg",
    locations=["noisyseg.noise", "noisyseg.correction", "noisyseg.integration.sam"],
)
