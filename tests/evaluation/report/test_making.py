import json

import numpy as np
import pytest
from PIL import Image

from noisyseg.evaluation.report import write_noise_report
from noisyseg.evaluation.report.making import read_manifest
from noisyseg.labels import LabelError
from noisyseg.labels.files import sha256

NAMES = {"noise_report.json", "noise_report.md", "noise_report.html"}


def test_it_writes_three_files_and_nothing_else(mistakes, tmp_path):
    out = tmp_path / "report"
    report = write_noise_report(*mistakes, out)
    assert {path.name for path in out.iterdir()} == NAMES
    assert {path.name for path in tmp_path.iterdir()} == {"clean.json", "noisy.json", "report"}
    written = json.loads((out / "noise_report.json").read_text())
    assert written == json.loads(json.dumps(report))
    assert written["files"]["clean"] == {"file": "clean.json", "sha256": sha256(mistakes[0])}
    assert written["generator"] is None
    assert written["determinism"] is None


def test_any_number_of_workers_gives_the_same_files(mistakes, tmp_path, monkeypatch):
    monkeypatch.setattr("noisyseg.evaluation.report.measuring.TASK_SIZE", 1)
    reports = []
    for workers in (1, 2):
        write_noise_report(*mistakes, tmp_path / str(workers), workers=workers)
        texts = [(tmp_path / str(workers) / name).read_text() for name in sorted(NAMES)]
        run = json.loads(texts[1])["run"]
        assert run["workers"] == workers
        reports.append([texts[0].replace(f"{run['seconds']} s.", ""), json.loads(texts[1]) | {"run": None}, texts[2]])
    assert reports[0] == reports[1]


@pytest.mark.usefixtures("no_figures")
def test_the_manifest_gives_recipe_seed_and_trust(mistakes, tmp_path):
    manifest = {
        "recipe": {"type": "noisyseg.Recipe", "noises": []},
        "seed": 5,
        "clean": {"sha256": sha256(mistakes[0])},
        "noisy": {"sha256": sha256(mistakes[1])},
    }
    mistakes[1].with_suffix(".manifest.json").write_text(json.dumps(manifest))
    report = write_noise_report(*mistakes, tmp_path / "report", verify=lambda given: {"passed": given["seed"] == 6})
    assert report["generator"]["seed"] == 5
    assert report["pairing"]["reason"].startswith("the manifest says")
    assert report["determinism"] == {"passed": False}
    assert report["warnings"][-1]["code"] == "not_reproduced"
    assert "other labels" in (tmp_path / "report" / "noise_report.html").read_text()


@pytest.mark.usefixtures("no_figures")
def test_an_existing_report_is_replaced_only_by_force(mistakes, tmp_path):
    out = tmp_path / "report"
    write_noise_report(*mistakes, out)
    with pytest.raises(FileExistsError, match="is there already"):
        write_noise_report(*mistakes, out)
    write_noise_report(mistakes[0], mistakes[0], out, force=True)
    assert json.loads((out / "noise_report.json").read_text())["files"]["noisy"]["file"] == "clean.json"
    with pytest.raises(FileExistsError, match=r"has no noise_report\.json"):
        write_noise_report(*mistakes, tmp_path, force=True)


def test_nothing_is_left_of_a_failed_report(mistakes, tmp_path):
    mistakes[1].write_text("{")
    with pytest.raises(LabelError, match="not JSON"):
        write_noise_report(*mistakes, tmp_path / "report")
    assert {path.name for path in tmp_path.iterdir()} == {"clean.json", "noisy.json"}


@pytest.mark.usefixtures("no_figures")
def test_folders_too(tmp_path):
    for folder in ("clean", "noisy"):
        (tmp_path / folder).mkdir()
        Image.fromarray(np.eye(8, dtype=np.uint8)).save(tmp_path / folder / "a.png")
    (tmp_path / "noisy" / "noise.manifest.json").write_text(
        '{"recipe": {"type": "x"}, "seed": 1, "classes": ["a", "b"]}'
    )
    report = write_noise_report(tmp_path / "clean", tmp_path / "noisy", tmp_path / "report")
    assert (report["kind"], report["mean_iou"], report["generator"]["seed"]) == ("semantic", 1, 1)
    assert {path.name for path in (tmp_path / "report").iterdir()} == NAMES


def test_arguments_that_do_not_fit_are_errors(mistakes, tmp_path):
    out = tmp_path / "report"
    with pytest.raises(LabelError, match="no such path"):
        write_noise_report(tmp_path / "none.json", mistakes[1], out)
    with pytest.raises(LabelError, match="expected a file, as"):
        write_noise_report(mistakes[0], tmp_path, out)
    with pytest.raises(ValueError, match="kind, ignore: expected none for COCO files"):
        write_noise_report(*mistakes, out, kind="edges")
    with pytest.raises(ValueError, match="pair: expected none for folders"):
        write_noise_report(tmp_path, tmp_path, out, pair="id")
    with pytest.raises(ValueError, match=r"verify: .* has no manifest"):
        write_noise_report(*mistakes, out, verify=lambda manifest: {"passed": True})


@pytest.mark.parametrize(("text", "message"), [("{", "not JSON"), ("[]", "expected a JSON object, got list")])
def test_a_broken_manifest_is_named(tmp_path, text, message):
    (tmp_path / "a.manifest.json").write_text(text)
    with pytest.raises(LabelError, match=rf"a\.manifest\.json: {message}"):
        read_manifest(tmp_path / "a.json")
    assert read_manifest(tmp_path / "b.json") is None
