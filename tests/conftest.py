"""What all tests share: the repository, the shared real data, and the command-line tools as modules."""

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
import yapf  # noqa: F401 - writes its cache, before there are several processes: see train_segmenters of the demo
from hypothesis import settings

# A run of CI depends on the code alone; on a developer's machine every run tries other examples.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("NOISYSEG_SHARED", REPOSITORY.parent / "shared"))


def _require(path: Path) -> Path:
    """Return `path`, or skip the test with the reason that it is absent."""
    if not path.exists():
        pytest.skip(f"{path} is absent; NOISYSEG_SHARED names the folder that holds data/ and golden/")
    return path


@pytest.fixture(autouse=True)
def no_visualizer_of_an_earlier_test() -> None:
    """mmengine keeps visualizers by the second in which they were made, so two quick runs would share a folder."""
    if "mmengine.visualization" in sys.modules:
        from mmengine.visualization import Visualizer

        for kind in (Visualizer, *Visualizer.__subclasses__()):
            kind._instance_dict.clear()


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    return _require(SHARED)


@pytest.fixture(scope="session")
def golden_dir() -> Path:
    return _require(SHARED / "golden")


@pytest.fixture(scope="session")
def coco_tiny_dir() -> Path:
    return _require(SHARED / "data" / "coco_tiny")


@pytest.fixture(scope="session")
def camvid_dir() -> Path:
    return _require(SHARED / "data" / "camvid")


@pytest.fixture(scope="session")
def load_tool() -> Callable[[str], ModuleType]:
    """Return a function that imports ``tools/<name>.py``, so that a test can call its ``main`` in process."""

    def load(name: str) -> ModuleType:
        path = REPOSITORY / "tools" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"tools_{name}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def tiny_config(tmp_path_factory) -> Path:
    """Return a config that trains a small U-Net for two iterations on four images of 32 pixels."""
    pytest.importorskip("mmseg")
    root = tmp_path_factory.mktemp("squares")
    rng = np.random.default_rng(0)
    for folder in ("images", "labels"):
        (root / folder).mkdir()
    for index in range(4):
        labels = np.zeros((32, 32), np.uint8)
        labels[8:24, 4 + 2 * index : 20] = 1
        image = rng.integers(0, 50, (32, 32, 3), np.uint8) + 150 * labels[..., None]
        cv2.imwrite(str(root / "images" / f"{index}.png"), image)
        cv2.imwrite(str(root / "labels" / f"{index}.png"), labels)
    path = root / "unet_squares.py"
    base = Path(__file__).with_name("tiny_unet.py")
    dataset = f"dict(dataset=dict(data_root={str(root)!r}))"
    path.write_text(f"_base_ = {str(base)!r}\ntrain_dataloader = {dataset}\ntest_dataloader = {dataset}\n")
    return path


@pytest.fixture(scope="session")
def trained_dir(tiny_config, load_tool, tmp_path_factory) -> Path:
    """Return the work directory of a finished run of `tiny_config`."""
    work_dir = tmp_path_factory.mktemp("trained")
    assert load_tool("train").main([str(tiny_config), "--work-dir", str(work_dir)]) == 0
    return work_dir
