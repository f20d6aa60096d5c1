"""What all converters share; what they write is tested with the functions that they call."""

import subprocess
import sys

import pytest

NAMES = ("bsds500", "camvid", "cityscapes", "voc")


@pytest.mark.parametrize("name", NAMES)
def test_help_needs_no_heavy_import(load_tool, name):
    code = (
        f"import runpy, sys; tool = runpy.run_path({load_tool(f'dataset_converters/{name}').__file__!r})\n"
        "try: tool['main'](['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(sorted({'numpy', 'cv2', 'torch', 'mmengine'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--force" in result.stdout
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", NAMES)
def test_a_tree_that_is_none_is_named(load_tool, tmp_path, capsys, name):
    assert load_tool(f"dataset_converters/{name}").main([str(tmp_path / "none"), str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"{name}: ")
    assert str(tmp_path / "none") in error
    assert not (tmp_path / "out").exists()
