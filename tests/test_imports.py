"""Who may import whom, read from the source, and what `import noisyseg` costs."""

import ast
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "noisyseg"

# For each folder, which other parts of noisyseg its modules may import.
MAY_IMPORT = {
    "labels": set(),
    "noise": {"labels", "registry"},
    "correction": {"labels", "registry"},
    "audit": {"labels"},
    "evaluation": {"labels"},
    "scenes": {"labels"},
    "ops": set(),
    "losses": {"ops", "registry"},
    "transitions": {"ops", "registry"},
}
TORCH_FOLDERS = {"ops", "losses", "transitions", "integration"}
HOST_MODULES = {"mmcv", "mmdet", "mmseg"}


def imported_modules(source: Path) -> set[str]:
    """Return the absolute names of all modules that the file imports, at any depth of the code."""
    names = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}:{node.lineno}: relative import; write the full name"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def sources() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if ".mim" not in path.parts)


def violations(source: Path) -> list[str]:
    """Return what `source` imports against the rules of the design."""
    parts = source.relative_to(PACKAGE).parts
    folder = parts[0] if len(parts) > 1 else ""
    found = []
    for name in sorted(imported_modules(source)):
        top, _, rest = name.partition(".")
        if top == "noisyseg":
            part = rest.partition(".")[0]
            if folder in MAY_IMPORT and part not in MAY_IMPORT[folder] | {folder}:
                found.append(f"{name}: {folder} may import of noisyseg only {sorted(MAY_IMPORT[folder])}")
        elif top == "torch" and folder not in TORCH_FOLDERS:
            found.append(f"{name}: torch belongs to {sorted(TORCH_FOLDERS)}")
        elif top == "mmengine" and folder and folder != "integration":
            found.append(f"{name}: mmengine belongs to registry and integration")
        elif top in HOST_MODULES and folder != "integration":
            found.append(f"{name}: the hosts belong to integration")
        elif top == "mmdet" and parts[1] != "detection":
            found.append(f"{name}: mmdet belongs to integration/detection")
        elif top == "mmseg" and parts[1] != "segmentation":
            found.append(f"{name}: mmseg belongs to integration/segmentation")
    return found


@pytest.mark.parametrize("source", sources(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_what_its_folder_may(source):
    assert violations(source) == []


def test_every_folder_has_import_rules():
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders <= set(MAY_IMPORT) | {"integration"}


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("labels/masks.py", "import torch"),
        ("labels/masks.py", "from noisyseg.noise import keyed_rng"),
        ("noise/models.py", "from mmengine.config import Config"),
        ("noise/models.py", "from noisyseg import audit"),
        ("audit/scores.py", "def f():\n    import mmdet"),
        ("integration/transforms.py", "import mmseg.registry"),
        ("integration/segmentation/heads.py", "from mmdet.models import losses"),
    ],
)
def test_the_rules_catch_a_violation(tmp_path, monkeypatch, place, line):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    source = tmp_path / place
    source.parent.mkdir(parents=True)
    source.write_text(line)
    assert len(violations(source)) == 1


def run_python(code: str) -> str:
    """Return what a fresh interpreter prints when it runs `code`."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.anchor
    ).stdout.strip()


def test_import_loads_no_host_and_no_torch():
    loaded = run_python(
        "import sys, mmengine; before = set(sys.modules); import noisyseg, noisyseg.registry\n"
        "print(sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    assert set(ast.literal_eval(loaded)) - sys.stdlib_module_names == {"noisyseg"}


def test_import_costs_less_than_a_tenth_of_a_second():
    code = "import time, mmengine; start = time.perf_counter(); import noisyseg; print(time.perf_counter() - start)"
    assert statistics.median(float(run_python(code)) for _ in range(3)) < 0.1


def test_registries_can_be_imported_without_the_hosts():
    blocked = "import sys; sys.modules.update(dict.fromkeys(['torch', 'mmcv', 'mmdet', 'mmseg', 'cv2']))\n"
    assert run_python(blocked + "import noisyseg.registry as r; print(r.TASK_UTILS.scope)") == "noisyseg"


def test_missing_mmengine_is_reported_with_the_way_out():
    code = (
        "import sys; sys.modules['mmengine'] = None\n"
        "try:\n    import noisyseg\nexcept ImportError as error:\n    print(error)"
    )
    assert "pip install --no-build-isolation 'noisyseg[onedl]'" in run_python(code)
