"""The public names, against the inventory in ``public_api.txt``: removing one is a decision, not an accident.

Run this file to write the inventory anew: ``python tests/test_public_api.py``.
"""

import ast
from importlib import import_module
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "noisyseg"
INVENTORY = Path(__file__).with_name("public_api.txt")
PACKAGES = sorted(path.parent for path in PACKAGE.rglob("__init__.py"))


def dotted(folder: Path) -> str:
    return ".".join(folder.relative_to(PACKAGE.parent).parts)


def declared_names(folder: Path) -> list[str] | None:
    """Return ``__all__`` of the package in `folder` as it is written, or None where it has none."""
    for node in ast.parse((folder / "__init__.py").read_text(encoding="utf-8")).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == "__all__":
            return ast.literal_eval(node.value)
    return None


def inventory() -> list[str]:
    return [f"{dotted(folder)}.{name}" for folder in PACKAGES for name in declared_names(folder) or ()]


@pytest.mark.parametrize("folder", PACKAGES, ids=dotted)
def test_a_package_lists_its_names(folder):
    assert declared_names(folder) is not None  # ruff keeps the list in order


@pytest.mark.parametrize("folder", PACKAGES, ids=dotted)
def test_every_listed_name_exists(folder):
    if "detection" in folder.parts:
        pytest.importorskip("mmdet")
    if "segmentation" in folder.parts:
        pytest.importorskip("mmseg")
    module = import_module(dotted(folder))
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


def test_no_public_name_is_lost_or_unrecorded():
    recorded = INVENTORY.read_text(encoding="utf-8").splitlines()
    assert inventory() == recorded, f"if this is meant: python {INVENTORY.parent.name}/{Path(__file__).name}"


if __name__ == "__main__":
    INVENTORY.write_text("".join(f"{line}\n" for line in inventory()), encoding="utf-8")
