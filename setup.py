"""Metadata of the distribution; the settings of the development tools are in ``pyproject.toml``."""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent

# OpenCV is missing on purpose: mmcv requires `opencv-python`, and a second requirement on the headless build
# would put two builds of the same files into one environment.
RUNTIME = [
    "jinja2>=3.0",
    "joblib>=1.3",
    "matplotlib>=3.6",
    "numba>=0.60",
    "numpy>=1.24",
    "orjson>=3.8",
    "Pillow>=9.2",
    "pycocotools>=2.0.6",
    "scikit-image>=0.22",
    "scipy>=1.10",
    "shapely>=2.0",
    "tqdm>=4.64",
]

# Two families of wheels share the import names mmengine, mmcv, mmdet and mmseg, so neither is a hard
# requirement. Both need torch to be installed before, and pip's --no-build-isolation: built in isolation,
# mmcv comes out without its compiled operators.
ONEDL = [
    "torch>=2.4",
    "onedl-mmengine>=0.10.12",
    "onedl-mmcv>=2.3.6",
    "onedl-mmdetection>=3.5.1",
    "onedl-mmsegmentation>=1.4.2",
]
OPENMMLAB = [
    "torch>=2.0",
    "mmengine>=0.10.7,<1",
    "mmcv>=2.1.0,<2.2",  # mmdet 3.3.0 and mmsegmentation 1.2.2 refuse 2.2
    "mmdet>=3.3.0,<4",
    "mmsegmentation>=1.2.2,<2",
    "ftfy",  # mmsegmentation imports both and requires neither
    "regex",
    "setuptools<82",  # mmengine 0.10.7 imports pkg_resources, which setuptools 82 no longer has
]
# Each is needed by one feature, which says so when it is missing.
SAM = ["transformers>=4.46"]
ALBUMENTATIONS = ["albumentations>=2.0"]
DASK = ["dask>=2024.8", "distributed>=2024.8"]
RAY = ["ray>=2.9"]
DEV = [
    *ALBUMENTATIONS,
    *DASK,
    *SAM,
    "build>=1.0",
    "hypothesis>=6.80",
    "ninja",
    "pre-commit>=3.0",
    "psutil",
    "pytest>=8.0",
    "pytest-timeout>=2.2",
    "pytest-xdist>=3.8",
    "ruff>=0.9",
    "setuptools>=77",
    "wheel",
]


def read_version() -> str:
    """Return the version that ``noisyseg/__init__.py`` states, without importing the package."""
    for line in (ROOT / "noisyseg" / "__init__.py").read_text(encoding="utf-8").splitlines():
        if line.startswith("__version__"):
            return line.split('"')[1]
    raise RuntimeError("noisyseg/__init__.py has no line that starts with __version__")


setup(
    name="noisyseg",
    version=read_version(),
    description="Train segmenters and detectors on annotations that are wrong; an extension of OpenMMLab",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=["noisyseg", "noisyseg.*"]),
    # .mim holds two symlinks to configs/ and tools/; a wheel gets their contents as files.
    package_data={
        "noisyseg": [
            "py.typed",
            "integration/demo/*.j2",
            "evaluation/label_diff/*.j2",
            "evaluation/report/*.j2",
            ".mim/*.yml",
            ".mim/configs/**/*",
            ".mim/tools/**/*",
        ]
    },
    exclude_package_data={"noisyseg": ["**/__pycache__/*", "**/*.pyc"]},
    install_requires=RUNTIME,
    extras_require={
        "onedl": ONEDL,
        "openmmlab": OPENMMLAB,
        "sam": SAM,
        "albumentations": ALBUMENTATIONS,
        "dask": DASK,
        "ray": RAY,
        "dev": DEV,
    },
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Topic :: Scientific/Engineering :: Image Recognition",
    ],
)
