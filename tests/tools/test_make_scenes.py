import subprocess
import sys

import pytest


@pytest.fixture
def tool(load_tool):
    return load_tool("make_scenes")


def make(tool, folder, *options):
    return tool.main([str(folder), "--train", "2", "--val", "1", "--size", "32", *options])


def test_it_writes_a_data_set_and_says_where(tool, tmp_path, capsys):
    assert make(tool, tmp_path / "out", "--workers", "2") == 0
    out = capsys.readouterr().out
    for part in ("images", "annotations", "semantic", "edges"):
        assert str(tmp_path / "out" / part) in out
        assert (tmp_path / "out" / part).is_dir()
    assert len(list((tmp_path / "out/images").rglob("*.png"))) == 3


def test_it_refuses_to_replace_a_data_set_unless_forced(tool, tmp_path, capsys):
    assert make(tool, tmp_path / "out") == 0
    assert make(tool, tmp_path / "out") == 2
    assert "error: " in capsys.readouterr().err
    assert make(tool, tmp_path / "out", "--force", "--seed", "1") == 0


def test_a_bad_argument_is_reported(tool, tmp_path, capsys):
    assert tool.main([str(tmp_path / "out"), "--size", "8"]) == 2
    assert "size: expected at least 32, got 8" in capsys.readouterr().err


def test_help_needs_no_heavy_import(tool):
    code = (
        f"import runpy, sys; tool = runpy.run_path({tool.__file__!r})\n"
        "try: tool['main'](['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(sorted({'numpy', 'cv2', 'torch', 'mmengine'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--force" in result.stdout
    assert result.stdout.splitlines()[-1] == "[]"
