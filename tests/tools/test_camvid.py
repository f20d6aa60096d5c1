import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def tool(load_tool):
    return load_tool("dataset_converters/camvid")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    Image.fromarray(np.full((4, 6, 3), (128, 64, 128), np.uint8)).save(tmp_path / "in" / "0001TP_L.png")
    return tmp_path / "in"


def test_it_writes_maps(tool, folder, tmp_path, capsys):
    assert tool.main([str(folder), str(tmp_path / "out")]) == 0
    assert "1 maps of 11 classes" in capsys.readouterr().out
    np.testing.assert_array_equal(np.array(Image.open(tmp_path / "out" / "0001TP.png")), 3)


def test_it_replaces_its_own_folder_with_force_only(tool, folder, tmp_path, capsys):
    arguments = [str(folder), str(tmp_path / "out")]
    assert tool.main(arguments) == 0
    assert tool.main(arguments) == 2
    assert "out: is there already" in capsys.readouterr().err
    assert tool.main([*arguments, "--force"]) == 0
    assert tool.main([str(folder), str(folder), "--force"]) == 2
    assert (folder / "0001TP_L.png").exists()
