import json

import pytest

SQUARE = [[2, 2, 12, 2, 12, 12, 2, 12]]


@pytest.fixture
def tool(load_tool):
    return load_tool("browse_noise")


@pytest.fixture
def files(tmp_path):
    """Write a clean file and a noisy one, in which annotation 1 has another class, 2 is missing and 3 is new."""

    def annotation(id_, category):
        return {
            "id": id_,
            "image_id": 1,
            "category_id": category,
            "segmentation": SQUARE,
            "bbox": [2, 2, 10, 10],
            "area": 100,
            "iscrowd": 0,
        }

    paths = []
    for name, annotations in (
        ("clean", [annotation(1, 1), annotation(2, 1)]),
        ("noisy", [annotation(1, 2), annotation(3, 1)]),
    ):
        paths.append(tmp_path / f"{name}.json")
        document = {
            "images": [{"id": 1, "file_name": "a.jpg", "height": 30, "width": 40}],
            "annotations": annotations,
            "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        }
        paths[-1].write_text(json.dumps(document))
    return [str(path) for path in paths]


def test_it_writes_the_picture_and_says_what_changed(tool, files, tmp_path, capsys):
    out = tmp_path / "page.png"
    assert tool.main([*files, "--out", str(out), "--side", "64"]) == 0
    printed = capsys.readouterr().out
    assert out.read_bytes().startswith(b"\x89PNG")
    assert f"picture: {out}" in printed
    assert "1 annotations missing from NOISY: ids 2" in printed
    assert "1 annotations only in NOISY: ids 3" in printed
    assert "other class            1" in printed


def test_many_ids_are_counted(tool, files, tmp_path, capsys):
    document = json.loads((tmp_path / "noisy.json").read_text())
    document["annotations"] += [document["annotations"][1] | {"id": id_} for id_ in range(100, 150)]
    (tmp_path / "noisy.json").write_text(json.dumps(document))
    assert tool.main([*files, "--out", str(tmp_path / "page.png"), "--side", "64"]) == 0
    assert "51 annotations only in NOISY: ids 3, 100, 101" in (printed := capsys.readouterr().out)
    assert "and 31 more" in printed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--images", "nowhere"], "nowhere/a.jpg: image 1: expected an image, got no such file"),
        (["--count", "0"], "count: expected at least 1, got 0"),
    ],
)
def test_what_cannot_be_used_is_named(tool, files, tmp_path, capsys, options, message):
    assert tool.main([*files, "--out", str(tmp_path / "page.png"), *options]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "page.png").exists()


def test_a_broken_label_file_is_named(tool, files, tmp_path, capsys):
    (tmp_path / "noisy.json").write_text("{")
    assert tool.main([*files, "--out", str(tmp_path / "page.png")]) == 2
    assert "noisy.json: not JSON" in capsys.readouterr().err


def test_real_annotations(tool, load_tool, coco_tiny_dir, tmp_path, capsys):
    clean = coco_tiny_dir / "annotations" / "instances_train2017.json"
    noisy, out = tmp_path / "noisy.json", tmp_path / "page.png"
    assert load_tool("make_noise").main(["coco_n_hard", str(clean), str(noisy), "--seed", "0"]) == 0
    images = ["--images", str(coco_tiny_dir / "train2017")]
    assert tool.main([str(clean), str(noisy), "--out", str(out), "--count", "2", *images]) == 0
    printed = capsys.readouterr().out
    flips = json.loads((tmp_path / "noisy.manifest.json").read_text())["counts"]["class_changed"]
    assert f"other class    {flips:>9}" in printed
    assert "annotations missing" not in printed
