import importlib.util
import shutil
import sysconfig

import pytest


@pytest.fixture
def tool(load_tool):
    return load_tool("check_environment")


def without(*absent):
    """Return a `find_spec` to which the modules in `absent` are not installed."""
    find_spec = importlib.util.find_spec
    return lambda name: None if name in absent else find_spec(name)


def test_the_environment_of_the_tests_is_complete(tool, capsys):
    assert tool.main([]) == 0
    out = capsys.readouterr().out
    assert out.startswith("host stack complete: torch 2")
    assert "mmcv" in out


def test_a_missing_host_is_named_with_the_command_that_installs_it(tool, capsys, monkeypatch):
    monkeypatch.setattr(tool, "find_spec", without("mmdet"))
    assert tool.main([]) == 1
    assert "mmdet is not installed. After torch: pip install --no-build-isolation" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("broken", "advice"),
    [
        ("mmcv._ext", "mmcv has no compiled operators that work with this torch"),
        ("cv2", "pip install --force-reinstall --no-deps opencv-python-headless=="),
    ],
)
def test_a_host_that_does_not_load_fails_with_the_way_to_repair_it(tool, capsys, monkeypatch, broken, advice):
    def import_module(name):
        if name == broken:
            raise ImportError(f"cannot load {name}")

    monkeypatch.setattr(tool, "import_module", import_module)
    assert tool.main([]) == 1
    message = capsys.readouterr().err
    assert advice in message
    assert f"cannot load {broken}" in message


def test_a_bare_machine_is_told_what_to_install(tool, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(tool, "find_spec", without("ensurepip"))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"include": str(tmp_path)})
    assert tool.main(["--before-build"]) == 1
    messages = capsys.readouterr().err
    for package in ("python3-venv", "g++", "python3-dev"):
        assert f"sudo apt install {package}" in messages


def test_a_python_that_is_too_old_is_refused(tool, monkeypatch):
    monkeypatch.setattr(tool, "PYTHON_VERSIONS", ((3, 98), (3, 99)))
    assert any(problem.startswith("Python 3.98 to 3.99 is needed") for problem in tool.build_problems())
