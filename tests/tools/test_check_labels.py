import json
import os
import subprocess
import sys

import pytest
from PIL import Image


@pytest.fixture
def tool(load_tool):
    return load_tool("check_labels")


@pytest.fixture
def labels(tmp_path):
    """Write a document of one image and one square; `changes` go into its annotation."""

    def write(**changes):
        annotation = {
            "id": 1,
            "image_id": 1,
            "category_id": 1,
            "segmentation": [[1, 1, 9, 1, 9, 9, 1, 9]],
            "bbox": [1, 1, 8, 8],
            "area": 64,
            "iscrowd": 0,
        }
        document = {
            "info": {},
            "images": [{"id": 1, "file_name": "a.png", "height": 10, "width": 10}],
            "annotations": [annotation | changes],
            "categories": [{"id": 1, "name": "cat", "supercategory": "animal"}],
        }
        path = tmp_path / "labels.json"
        path.write_text(json.dumps(document))
        return str(path)

    return write


def test_a_clean_file(tool, labels, capsys):
    path = labels()
    assert tool.main([path]) == 0
    assert capsys.readouterr().out == f"{path}: no findings\n"


def test_findings_make_it_fail(tool, labels, capsys):
    assert tool.main([labels(segmentation=[])]) == 1
    out = capsys.readouterr().out
    assert "1 error" in out
    assert "segmentation-empty" in out


def test_infos_alone_do_not(tool, labels, capsys):
    assert tool.main([labels(segmentation=None)]) == 0
    assert "boxes-only" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_what_cannot_be_checked(text, tool, tmp_path, capsys):
    path = tmp_path / "labels.json"
    assert tool.main([str(path)]) == 2
    path.write_text(text)
    assert tool.main([str(path)]) == 2
    assert "1 error" in capsys.readouterr().out


def test_images_are_checked_on_demand(tool, labels, tmp_path, capsys):
    folder = tmp_path / "images"
    folder.mkdir()
    Image.new("L", (10, 10)).save(folder / "A.png")
    assert tool.main([labels(), "--images", str(folder)]) == 1
    assert "expected 'a.png', got 'A.png'" in capsys.readouterr().out
    (folder / "A.png").rename(folder / "a.png")
    assert tool.main([labels(), "--images", str(folder)]) == 0
    assert tool.main([labels(), "--images", str(tmp_path / "absent")]) == 2


def test_json_goes_to_stdout_alone(tool, labels, capsys):
    assert tool.main([labels(area=-1), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [(finding["code"], finding["annotation"]) for finding in report["findings"]] == [("area-not-positive", 1)]


def test_json_of_a_file_that_is_not_there(tool, tmp_path, capsys):
    assert tool.main([str(tmp_path / "absent.json"), "--json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert [finding["code"] for finding in report["findings"]] == ["file-unreadable"]


def run(repository, *arguments, **settings):
    command = [sys.executable, repository / "tools" / "check_labels.py", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **settings)


def test_a_reader_that_stops_early_changes_no_exit_code(labels, repository):
    with run(repository, labels(area=-1)) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


def test_a_terminal_of_ascii_shows_any_path(tmp_path, repository):
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    out, err = run(repository, tmp_path / "größe.json", env=environment).communicate()
    assert (err, out.splitlines()[0].endswith(rb"gr\xf6\xdfe.json: 1 error")) == (b"", True)
