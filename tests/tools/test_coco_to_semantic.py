import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def tool(load_tool):
    return load_tool("dataset_converters/coco_to_semantic")


@pytest.fixture(scope="module")
def scenes(load_tool, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes") / "out"
    assert load_tool("make_scenes").main([str(folder), "--train", "4", "--val", "1", "--size", "64"]) == 0
    return folder


def test_it_paints_the_maps_that_scenes_has(tool, scenes, tmp_path, capsys):
    out = tmp_path / "maps"
    assert tool.main([str(scenes / "annotations" / "instances_train.json"), str(out)]) == 0
    printed = capsys.readouterr().out
    assert "4 maps from" in printed
    assert f"semantic maps: {out}" in printed
    expected = sorted((scenes / "semantic" / "train").iterdir())
    assert len(expected) == 4
    for path in expected:
        assert (np.array(Image.open(path)) == np.array(Image.open(out / path.name))).all()


def test_it_replaces_its_own_folder_with_force_only(tool, scenes, tmp_path, capsys):
    arguments = [str(scenes / "annotations" / "instances_train.json"), str(tmp_path / "maps")]
    assert tool.main(arguments) == 0
    assert tool.main(arguments) == 2
    assert "maps: is there already" in capsys.readouterr().err
    assert tool.main([*arguments, "--force"]) == 0
    assert tool.main([arguments[0], str(scenes / "images"), "--force"]) == 2
    assert len(list((scenes / "images" / "train").iterdir())) == 4


def test_a_file_that_cannot_be_used_is_named(tool, tmp_path, capsys):
    (tmp_path / "labels.json").write_text(json.dumps({"images": []}))
    assert tool.main([str(tmp_path / "labels.json"), str(tmp_path / "maps")]) == 2
    assert "labels.json: expected a list under 'annotations'" in capsys.readouterr().err
    assert not (tmp_path / "maps").exists()


@pytest.mark.parametrize("name", ["dataset_converters/coco_to_semantic", "browse_noise"])
def test_help_needs_no_heavy_import(load_tool, name):
    code = (
        f"import runpy, sys; tool = runpy.run_path({load_tool(name).__file__!r})\n"
        "try: tool['main'](['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(sorted({'numpy', 'cv2', 'torch', 'mmengine'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--force" in result.stdout
    assert result.stdout.splitlines()[-1] == "[]"
