"""Fixtures that all tests share: where the repository and the shared real data are."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("NOISYSEG_SHARED", REPOSITORY.parent / "shared"))


def require(path: Path) -> Path:
    """Return `path`, or skip the test with the reason that it is absent."""
    if not path.exists():
        pytest.skip(f"{path} is absent; set NOISYSEG_SHARED to the folder that holds data/ and golden/")
    return path


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    return require(SHARED)


@pytest.fixture(scope="session")
def golden_dir() -> Path:
    return require(SHARED / "golden")


@pytest.fixture(scope="session")
def coco_tiny_dir() -> Path:
    return require(SHARED / "data" / "coco_tiny")


@pytest.fixture(scope="session")
def camvid_dir() -> Path:
    return require(SHARED / "data" / "camvid")
