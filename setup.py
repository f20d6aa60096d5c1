"""Metadata of the distribution; the settings of the development tools are in ``pyproject.toml``."""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def read_version() -> str:
    """Return the version that ``noisyseg/__init__.py`` states, without importing the package."""
    for line in (ROOT / "noisyseg" / "__init__.py").read_text(encoding="utf-8").splitlines():
        if line.startswith("__version__"):
            return line.split('"')[1]
    raise RuntimeError("noisyseg/__init__.py has no line that starts with __version__")


setup(
    name="noisyseg",
    version=read_version(),
    packages=find_packages(include=["noisyseg", "noisyseg.*"]),
    python_requires=">=3.10",
)
