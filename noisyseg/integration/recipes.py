"""Read noise recipes from config files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.config import Config

__all__ = ["load_recipe", "shipped_recipes"]

_FOLDER = Path(__file__).resolve().parent.parent / ".mim" / "configs" / "_base_" / "noise"


def shipped_recipes() -> list[str]:
    """Returns the names of the recipes that come with the package, such as ``coco_n_hard``."""
    return sorted(path.stem for path in _FOLDER.glob("*.py"))


def load_recipe(recipe: str | Path) -> dict[str, Any]:
    """Returns the config of a noise model.

    Args:
        recipe: A config file with a variable ``noise``, or the name of a shipped recipe.

    Raises:
        FileNotFoundError: There is neither such a file nor such a recipe.
        ValueError: The file cannot be read as a config, or has no dict ``noise`` with a ``type``.
    """
    path = Path(recipe)
    if not path.exists():
        path = _FOLDER / f"{recipe}.py"
    if not path.is_file():
        raise FileNotFoundError(
            f"{recipe}: no such file, and none of the shipped recipes: {', '.join(shipped_recipes())}"
        )
    try:
        noise = Config.fromfile(path).get("noise")
    except Exception as error:  # a config is a program: whatever goes wrong in it is the config's fault
        raise ValueError(f"{path}: cannot be read as a config: {error}") from error
    if not isinstance(noise, dict) or "type" not in noise:
        raise ValueError(f"{path}: expected a variable noise = dict(type=...), got {noise!r}")
    return noise.to_dict()
