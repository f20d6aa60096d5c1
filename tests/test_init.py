"""What importing noisyseg does for config files."""

from importlib.metadata import version

import pytest
from mmengine.config import Config
from mmengine.registry import TASK_UTILS

import noisyseg


def load(tmp_path, base):
    path = tmp_path / "outside.py"
    path.write_text(f"_base_ = {base!r}\n")
    return Config.fromfile(path)


def test_the_version_is_that_of_the_distribution():
    assert noisyseg.__version__ == version("noisyseg")


def test_a_recipe_is_inherited_and_built_by_name_alone(tmp_path):
    config = load(tmp_path, "noisyseg::_base_/noise/coco_n_easy.py")
    assert type(TASK_UTILS.build(config.noise)).__module__.startswith("noisyseg.noise")


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("mmseg", "mmseg::_base_/models/fcn_unet_s5-d16.py"),
        ("mmdet", "mmdet::_base_/models/mask-rcnn_r50_fpn.py"),
    ],
)
def test_the_configs_of_an_installed_host_are_inherited(tmp_path, host, base):
    pytest.importorskip(host)
    assert load(tmp_path, base).model._scope_ == host
