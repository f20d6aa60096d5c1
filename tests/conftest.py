"""What all tests share: the repository, the shared real data, and the command-line tools as modules."""

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("NOISYSEG_SHARED", REPOSITORY.parent / "shared"))


def _require(path: Path) -> Path:
    """Return `path`, or skip the test with the reason that it is absent."""
    if not path.exists():
        pytest.skip(f"{path} is absent; NOISYSEG_SHARED names the folder that holds data/ and golden/")
    return path


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
