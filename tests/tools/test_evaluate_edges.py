import cv2
import numpy as np
import pytest


@pytest.fixture
def tool(load_tool):
    return load_tool("evaluate_edges")


@pytest.fixture
def arguments(tmp_path):
    """Write one image whose prediction is its labels, and return what to call the tool with."""
    edges = np.zeros((40, 50), np.uint8)
    edges[20, 5:45] = 255
    for folder in ("predicted", "labels"):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "a.png"), edges)
    return [str(tmp_path / "predicted"), str(tmp_path / "labels"), "--out", str(tmp_path / "out"), "--protocol", "bsds"]


def test_it_prints_the_table_with_the_protocol(tool, arguments, tmp_path, capsys):
    assert tool.main([*arguments, "--set", "tolerance=0.1", "thresholds=9", "labels=my own", "nms=false"]) == 0
    printed = capsys.readouterr().out
    first = "Edges [mode thin, tolerance 0.1, labels my own, no NMS, border 0 px, scale 1, 9 thresholds"
    assert printed.startswith(first)
    assert "mean   1.0000" in printed
    assert (tmp_path / "out" / "edges.txt").read_text().startswith(first)
    assert (tmp_path / "out" / "edges.json").is_file()


def test_images_are_named_in_a_file(tool, arguments, tmp_path, capsys):
    (tmp_path / "names.txt").write_text("a\n")
    assert tool.main([*arguments, "--names", str(tmp_path / "names.txt")]) == 0
    assert "1 images" in capsys.readouterr().out


def test_names_may_have_spaces(tool, arguments, tmp_path, capsys):
    for folder in ("predicted", "labels"):
        (tmp_path / folder / "a.png").rename(tmp_path / folder / "a b.png")
    (tmp_path / "names.txt").write_text("\na b\n\n")
    assert tool.main([*arguments, "--names", str(tmp_path / "names.txt")]) == 0
    assert "1 images" in capsys.readouterr().out


def test_a_file_without_names_is_told(tool, arguments, tmp_path, capsys):
    (tmp_path / "empty.txt").write_text("\n")
    assert tool.main([*arguments, "--names", str(tmp_path / "empty.txt")]) == 2
    assert f"--names: expected one name a line in {tmp_path / 'empty.txt'}, got none" in capsys.readouterr().err


def test_settings_are_read_as_python_writes_them(tool):
    words = ["tolerance=.0075", "nms=False", "resize=true", "border=3", "mode=raw", "labels=SBD raw", "scale=5e-1"]
    assert tool.settings(words) == {
        "tolerance": 0.0075,
        "nms": False,
        "resize": True,
        "border": 3,
        "mode": "raw",
        "labels": "SBD raw",
        "scale": 0.5,
    }


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--set", "mode=thick"], "mode: expected one of thin, raw, got 'thick'"),
        (["--set", "tolerance=wide"], "tolerance: expected a share of the diagonal in (0, 1), got 'wide'"),
        (["--set", "nms=no"], "nms: expected True or False, got 'no'"),
        (["--set", "mode"], "--set: expected KEY=VALUE, got 'mode'"),
        (["--protocol", "nyud"], "protocol: expected one of bsds, sbd"),
        (["--classes", "cat", "dog"], "cat/a.png: expected a prediction, got no such file"),
        (["--names", "none.txt"], "none.txt"),
    ],
)
def test_bad_input_ends_with_2_and_a_reason(tool, arguments, capsys, more, message):
    assert tool.main([*arguments, *more]) == 2
    assert message in capsys.readouterr().err


def test_an_empty_prediction_scores_0(tool, arguments, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "predicted" / "a.png"), np.zeros((40, 50), np.uint8))
    assert tool.main(arguments) == 0
    assert "mean  0.0000" in capsys.readouterr().out.replace("   ", "  ")
