import json
import subprocess
import sys

import pytest

RECIPE = {
    "type": "noisyseg.Recipe",
    "noises": [
        {"type": "noisyseg.ClassConfusion", "rate": 0.4},
        {"type": "noisyseg.OneOf", "probs": [0.5], "noises": [{"type": "noisyseg.Scale", "size": 3}]},
        {"type": "noisyseg.Bogus", "rate": 0.1},
    ],
}


@pytest.fixture
def tool(load_tool):
    return load_tool("noise_report")


@pytest.fixture
def files(coco_tiny_dir, tmp_path):
    """Make a noisy file of ten real images."""
    from noisyseg.noise import generate_noise

    document = json.loads((coco_tiny_dir / "annotations" / "instances_train2017.json").read_text())
    ids = [image["id"] for image in document["images"][:10]]
    document["images"] = document["images"][:10]
    document["annotations"] = [a for a in document["annotations"] if a["image_id"] in ids]
    clean, noisy = tmp_path / "clean.json", tmp_path / "noisy.json"
    clean.write_text(json.dumps(document))
    generate_noise(RECIPE, clean, noisy, seed=1)
    return clean, noisy


def test_it_prints_a_summary_and_writes_the_report(tool, files, tmp_path, coco_tiny_dir, capsys):
    out = tmp_path / "report"
    images = coco_tiny_dir / "train2017"
    arguments = [*map(str, files), "--out", str(out), "--images", str(images), "--workers", "2", "--verify"]
    assert tool.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "instances, paired by id: the manifest says" in printed
    assert f"report: {out / 'noise_report.html'}" in printed
    assert len(printed.splitlines()) <= 15
    report = json.loads((out / "noise_report.json").read_text())
    assert report["determinism"] == {"passed": True, "different": 0, "workers": 1, "shuffled": True}
    assert report["generator"]["seed"] == 1
    assert {check["op"] for check in report["rates"]} == {"ClassConfusion", "Scale", "Bogus"}
    assert (out / "noise_report.html").read_text().count("data:image/jpeg") == len(report["worst"])


def test_a_file_that_was_edited_is_not_made_again(tool, files, tmp_path, capsys):
    document = json.loads(files[1].read_text())
    document["annotations"][0]["category_id"] = document["annotations"][1]["category_id"] % 5 + 1
    files[1].write_text(json.dumps(document))
    assert tool.main([*map(str, files), "--out", str(tmp_path / "report"), "--verify"]) == 0
    assert "ANOTHER FILE" in capsys.readouterr().out
    report = json.loads((tmp_path / "report" / "noise_report.json").read_text())
    assert {"other_file", "not_reproduced"} <= {warning["code"] for warning in report["warnings"]}


def test_folders_are_made_again_too(tool, camvid_dir, tmp_path, capsys):
    import shutil

    from noisyseg.noise.dataset.any_layout import make_noise

    clean = tmp_path / "clean"
    clean.mkdir()
    for path in sorted((camvid_dir / "valannot").glob("*.png"))[:3]:
        shutil.copy(path, clean)
    recipe = {"type": "noisyseg.ShiftNoise", "distance": [2, 4], "unit": "component", "image_rate": 1.0, "min_area": 64}
    names = [f"class {k}" for k in range(11)]
    make_noise(recipe, clean, tmp_path / "noisy", seed=0, layout="png", classes=names, ignore=11)
    assert tool.main([str(clean), str(tmp_path / "noisy"), "--out", str(tmp_path / "report"), "--verify"]) == 0
    assert "the same" in capsys.readouterr().out
    report = json.loads((tmp_path / "report" / "noise_report.json").read_text())
    assert (report["kind"], report["ignored"], report["counts"]["ignored_touched"]) == ("semantic", [11], 0)
    assert 0 < report["flipped"]["all"] < report["flipped"]["within 5 px"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.json", "NOISY"], "no such path"),
        (["CLEAN", "NOISY", "--verify"], "has no manifest"),
        (["CLEAN", "NOISY", "--kind", "edges"], "expected none for COCO files"),
        (["CLEAN", "NOISY", "--images", "nowhere"], "expected an image, got no such file"),
    ],
)
def test_bad_input_ends_with_2_and_a_reason(tool, tmp_path, arguments, message, capsys):
    square = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5], "iscrowd": 0}
    for name, side in (("CLEAN", 5), ("NOISY", 6)):
        document = {
            "images": [{"id": 1, "file_name": "a.png", "height": 20, "width": 20}],
            "annotations": [square | {"bbox": [1, 1, side, side]}],
            "categories": [{"id": 1, "name": "cat"}],
        }
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    paths = {name: str(tmp_path / f"{name}.json") for name in ("CLEAN", "NOISY")}
    out = tmp_path / "report"
    assert tool.main([*(paths.get(word, word) for word in arguments), "--out", str(out)]) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_a_wrong_number_of_workers_is_refused(tool, capsys):
    with pytest.raises(SystemExit):
        tool.main(["a", "b", "--out", "c", "--workers", "0"])
    assert "expected an integer >= 1, got 0" in capsys.readouterr().err


def test_help_is_quick_and_loads_no_compiler(repository):
    code = (
        "import sys; sys.argv = ['noise_report', '--help']\n"
        "import runpy\n"
        "try:\n    runpy.run_path('tools/noise_report.py', run_name='__main__')\n"
        "except SystemExit:\n    print('numba' in sys.modules, 'numpy' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=repository)
    assert result.stdout.splitlines()[-1] == "False False"
