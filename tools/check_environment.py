"""Say whether this machine can build and run noisyseg, and what to do where it cannot.

``--before-build`` looks at Python and the compiler and needs nothing installed. Without it the installed host
stack is
checked: mmengine, mmcv with its compiled operators, mmdet, mmseg. Exits with 1 when something is missing.
"""

import argparse
import shutil
import sys
import sysconfig
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path

PYTHON_VERSIONS = ((3, 10), (3, 12))
REBUILD_MMCV = (
    "mmcv has no compiled operators that work with this torch: it was built in isolation, before torch, or "
    "against another torch. Build it again: "
    "pip install --force-reinstall --no-deps --no-cache-dir --no-build-isolation {distribution}"
)
REPLACE_OPENCV = (
    "OpenCV does not load. On a machine without a desktop, write the headless build over it: "
    "pip install --force-reinstall --no-deps opencv-python-headless=={version}"
)
INSTALL_HOST = (
    "{module} is not installed. After torch: "
    "pip install --no-build-isolation 'noisyseg[onedl]' (or 'noisyseg[openmmlab]')"
)


def build_problems() -> list[str]:
    """Return what is missing to create the environment and to compile mmcv's operators."""
    problems = []
    low, high = PYTHON_VERSIONS
    if not low <= sys.version_info[:2] <= high:
        problems.append(
            f"Python {low[0]}.{low[1]} to {high[0]}.{high[1]} is needed, this is {sys.version.split()[0]}; "
            "choose another with `make PYTHON=python3.11 …`"
        )
    if find_spec("ensurepip") is None:
        problems.append("Python has no ensurepip, so it cannot create environments: sudo apt install python3-venv")
    if shutil.which("g++") is None:
        problems.append("there is no C++ compiler: sudo apt install g++")
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    if not header.exists():
        problems.append(f"{header} is absent, so nothing can be compiled for Python: sudo apt install python3-dev")
    return problems


def host_problems() -> list[str]:
    """Return what is missing or broken in the installed host stack."""
    missing = [name for name in ("torch", "cv2", "mmengine", "mmcv", "mmdet", "mmseg") if find_spec(name) is None]
    if missing:
        return [INSTALL_HOST.format(module=name) for name in missing]
    for name in (
        "torch",
        "cv2",
        "mmcv._ext",
    ):  # mmcv's operators link to torch and import cv2, so in this order
        try:
            import_module(name)
        except ImportError as error:
            return [f"{_advice(name)} ({error})"]
    return []


def _advice(module: str) -> str:
    """Return what to do when a module that is installed cannot be imported."""
    if module == "cv2":
        return REPLACE_OPENCV.format(version=version("opencv-python"))
    if module == "mmcv._ext":
        return REBUILD_MMCV.format(distribution=packages_distributions().get("mmcv", ["mmcv"])[0])
    return f"{module} does not load; install it again"


def describe_hosts() -> str:
    """Return one line with the names and versions of the installed host distributions."""
    by_module = packages_distributions()
    names = [by_module[module][0] for module in ("torch", "mmengine", "mmcv", "mmdet", "mmseg")]
    return ", ".join(f"{name} {version(name)}" for name in names)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the problems of this environment and return 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before-build", action="store_true", help="check Python and the compiler only")
    args = parser.parse_args(argv)
    check: Callable[[], list[str]] = build_problems if args.before_build else host_problems
    problems = check()
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if not problems:
        print("ready to build" if args.before_build else f"host stack complete: {describe_hosts()}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
