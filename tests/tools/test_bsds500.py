import numpy as np
import pytest
from scipy.io import savemat


@pytest.fixture
def tool(load_tool):
    return load_tool("dataset_converters/bsds500")


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "data"
    cell = np.empty((1, 2), object)
    for a in range(2):
        cell[0, a] = {"Segmentation": np.ones((6, 8), np.uint16), "Boundaries": np.eye(6, 8, k=a, dtype=bool)}
    for split in ("train", "val"):
        for folder in ("images", "groundTruth"):
            (root / folder / split).mkdir(parents=True)
        savemat(root / "groundTruth" / split / "12.mat", {"groundTruth": cell})
        (root / "images" / split / "12.jpg").write_bytes(b"not looked at")
    return root


@pytest.mark.parametrize(("annotators", "count"), [("each", 2), ("mean", 1)])
def test_it_writes_edges_and_lists(tool, root, tmp_path, capsys, annotators, count):
    assert tool.main([str(root), str(tmp_path / "out"), "--annotators", annotators]) == 0
    printed = capsys.readouterr().out
    assert f"val: 1 images, {count} edge images" in printed
    assert f"edges: {tmp_path / 'out'}" in printed
    assert len((tmp_path / "out" / "train.txt").read_text().splitlines()) == count
    assert len(list((tmp_path / "out" / "edges" / "val").iterdir())) == count


def test_it_replaces_its_own_folder_with_force_only(tool, root, tmp_path, capsys):
    arguments = [str(root), str(tmp_path / "out")]
    assert tool.main(arguments) == 0
    assert tool.main(arguments) == 2
    assert "out: is there already" in capsys.readouterr().err
    assert tool.main([*arguments, "--force"]) == 0
