"""noisyseg as a downstream project gets it: sdist, wheel and editable installs, used from outside."""

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

RECIPE = "configs/_base_/noise/coco_n_easy.py"
FOREIGN_ENTRY_POINT = """
import sys
import noisyseg
from mmengine.config import Config
from mmengine.registry import TASK_UTILS
config = Config.fromfile(sys.argv[1])
print(type(TASK_UTILS.build(config.noise)).__module__, noisyseg.__file__)
"""


def run(*command, cwd):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="session")
def source_tree(repository, tmp_path_factory):
    """Return a copy of what a clone holds, so that a build leaves nothing in the repository."""
    target = tmp_path_factory.mktemp("source") / "noisyseg"
    ignored = shutil.ignore_patterns(".git", ".venv*", "__pycache__", "*.egg-info", "build", "dist", "work_dirs")
    shutil.copytree(repository, target, symlinks=True, ignore=ignored)
    return target


@pytest.fixture(scope="session")
def distributions(source_tree):
    """Return the folder with the sdist, and with the wheel that was built from the sdist."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", "dist", ".", cwd=source_tree)
    return source_tree / "dist"


@pytest.fixture(scope="session")
def wheel(distributions):
    return next(distributions.glob("*.whl"))


def clean_environment(folder):
    """Return the interpreter of a new environment that has all of ours but noisyseg.

    A path line in a .pth file adds our site-packages without the .pth files in it, so no editable noisyseg.
    """
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
    python = folder / "bin" / "python"
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    ours = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    Path(site, "hosts.pth").write_text("\n".join(sorted(ours)))
    return python


def pip_install(python, *arguments):
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index"]
    run(*pip, "--no-build-isolation", *arguments, cwd=python.parent)


@pytest.fixture(scope="session", params=["wheel", "editable"])
def installed(request, tmp_path_factory):
    """Return an interpreter that has noisyseg from the wheel or from an editable install."""
    python = clean_environment(tmp_path_factory.mktemp(request.param) / "venv")
    if request.param == "wheel":
        pip_install(python, request.getfixturevalue("wheel"))
    else:
        pip_install(python, "--editable", request.getfixturevalue("source_tree"))
    return python


def test_sdist_holds_configs_and_tools(distributions):
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {RECIPE, "tools/train.py", "noisyseg/py.typed", "LICENSE", "Makefile"} <= names


def test_wheel_from_the_sdist_holds_configs_and_tools_as_files(wheel, repository):
    with zipfile.ZipFile(wheel) as archive:
        for path in (RECIPE, "tools/train.py", "tools/dist_train.sh"):
            assert archive.read(f"noisyseg/.mim/{path}") == (repository / path).read_bytes()
        names = archive.namelist()
    template = "noisyseg/integration/demo/page.html.j2"
    assert {"noisyseg/.mim/model-index.yml", "noisyseg/py.typed", template} <= set(names)
    assert [name for name in names if "__pycache__" in name or name.startswith(("tests/", "configs/"))] == []
    configs = {path.relative_to(repository) for path in (repository / "configs").rglob("*.py")}
    assert {f"noisyseg/.mim/{path.as_posix()}" for path in configs} <= set(names)


def test_a_foreign_entry_point_inherits_and_builds_a_recipe(installed, tmp_path):
    config = tmp_path / "outside.py"
    config.write_text("_base_ = 'noisyseg::_base_/noise/coco_n_easy.py'\n")
    module, file = run(installed, "-c", FOREIGN_ENTRY_POINT, config, cwd=tmp_path).split()[-2:]
    assert module.startswith("noisyseg.noise")
    assert not Path(file).is_relative_to(Path(__file__).resolve().parent.parent)


def test_the_installed_tool_trains_a_config_that_inherits_a_recipe(installed, tiny_config, tmp_path):
    config = tmp_path / "outside.py"
    config.write_text(f"_base_ = ['noisyseg::_base_/noise/coco_n_easy.py', {str(tiny_config)!r}]\n")
    code = "import noisyseg, pathlib; print(pathlib.Path(noisyseg.__file__).parent / '.mim/tools/train.py')"
    tool = run(installed, "-c", code, cwd=tmp_path).strip()
    run(installed, tool, config, "--work-dir", tmp_path / "work", cwd=tmp_path)
    assert (tmp_path / "work" / "iter_2.pth").is_file()
    assert "noisyseg.Recipe" in (tmp_path / "work" / "outside.py").read_text()
