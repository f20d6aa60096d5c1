import cv2
import numpy as np
import orjson
import pytest


@pytest.fixture
def tool(load_tool):
    return load_tool("dataset_converters/cityscapes")


@pytest.fixture
def root(tmp_path):
    numbers = np.zeros((20, 30), np.uint16)
    numbers[5:10, 5:10], numbers[12, 3], numbers[15:, 20:] = 26000, 26001, 24
    document = {
        "imgHeight": 20,
        "imgWidth": 30,
        "objects": [{"label": "road", "polygon": [[0, 0], [29, 0], [29, 19]]}],
    }
    for split in ("train", "val"):
        folder = tmp_path / "gtFine" / split / "ulm"
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / "ulm_000000_000019_gtFine_instanceIds.png"), numbers)
        (folder / "ulm_000000_000019_gtFine_polygons.json").write_bytes(orjson.dumps(document))
    return tmp_path


def test_it_writes_a_file_a_split(tool, root, capsys):
    assert tool.main([str(root), str(root / "out"), "--min-area", "2"]) == 0
    printed = capsys.readouterr().out
    for split in ("train", "val"):
        path = root / "out" / f"instancesonly_filtered_gtFine_{split}.json"
        assert f"{path}: 1 images, 2 objects, 1 left out: too small" in printed
        document = orjson.loads(path.read_bytes())
        assert [(one["id"], one["category_id"], one["area"]) for one in document["annotations"]] == [
            (1, 24, 50),
            (2, 26, 25),
        ]


@pytest.mark.parametrize(("convention", "objects"), [("authors", 1), ("detectron2", 0)])
def test_the_other_conventions_read_polygons(tool, root, capsys, convention, objects):
    arguments = [str(root), str(root / "out"), "--convention", convention, "--splits", "val"]
    assert tool.main(arguments) == 0
    assert f"1 images, {objects} objects" in capsys.readouterr().out
    assert [path.name for path in (root / "out").iterdir()] == [tool.NAMES[convention].format("val")]


def test_files_are_replaced_with_force_only(tool, root, capsys):
    arguments = [str(root), str(root / "out"), "--splits", "val"]
    assert tool.main(arguments) == 0
    assert tool.main(arguments) == 2
    assert "val.json: is there already; force is needed to replace it" in capsys.readouterr().err
    assert tool.main([*arguments, "--force"]) == 0


def test_nothing_is_written_when_a_split_is_missing(tool, root, capsys):
    assert tool.main([str(root), str(root / "out"), "--splits", "val", "test"]) == 2
    assert "gtFine/test: expected files" in capsys.readouterr().err
    assert not (root / "out").exists()
