import os
from collections import Counter
from pathlib import Path

import numpy as np
import orjson
import pytest
from PIL import Image

from noisyseg.labels import LabelError
from noisyseg.noise.dataset import generate_noise
from noisyseg.noise.dataset.any_layout import make_noise
from noisyseg.noise.dataset.file_runs import JOURNAL

CONFUSE = {"type": "noisyseg.Recipe", "noises": [{"type": "noisyseg.ClassConfusion", "rate": 0.7}]}
NAMES = ("a", "b", "c")
MAPS = {"type": "noisyseg.SlowMaps"}
OBJECTS = {"type": "noisyseg.Recipe", "noises": [{"type": "noisyseg.SlowObjects"}]}
COSTLY = {"type": "noisyseg.Recipe", "noises": [{"type": "noisyseg.CostlyObjects"}]}
killable = pytest.mark.skipif(not hasattr(os, "killpg"), reason="kills a group of processes")


def done(folder, ending):
    return len([path for path in folder.rglob(f"*{ending}") if not path.name.startswith(".")])


@killable
def test_killed_maps_go_on_where_they_were(runs, maps, tmp_path, contents):
    source, out = maps([f"{k:02}.png" for k in range(40)]), tmp_path / "out"
    journal = out / JOURNAL

    def enough():
        return journal.exists() and len(journal.read_bytes().splitlines()) > 16

    runs.kill(enough, MAPS, source, out, classes=NAMES, workers=2)
    before = done(out, ".png")
    assert before < 40
    assert not (out / "noise.manifest.json").exists()
    kept = len(journal.read_bytes().splitlines()) - 1
    assert 16 <= kept <= before
    assert runs.finish(MAPS, source, out, classes=NAMES) == 40 - kept
    assert runs.finish(MAPS, source, tmp_path / "whole", classes=NAMES) == 40
    assert contents(out) == contents(tmp_path / "whole")
    assert done(out, ".png") == 40
    assert list(out.rglob(".*")) == []
    # A finished run has nothing left to do.
    assert runs.finish(MAPS, source, out, classes=NAMES) == 0


@killable
def test_killed_shards_go_on_where_they_were(runs, coco_document, tmp_path, contents):
    source, out = tmp_path / "shards", tmp_path / "out"
    source.mkdir()
    for k in range(8):
        (source / f"{k}.json").write_bytes(orjson.dumps(coco_document(first=1 + 3 * k)))
    runs.kill(lambda: done(out, ".json") >= 3, OBJECTS, source, out, workers=2)
    assert 3 <= done(out, ".json") < 8
    kept = len((out / JOURNAL).read_bytes().splitlines()) - 1
    assert runs.finish(OBJECTS, source, out) == 6 * (8 - kept)
    assert runs.finish(OBJECTS, source, tmp_path / "whole") == 48
    assert contents(out) == contents(tmp_path / "whole")


@killable
def test_costly_noise_keeps_each_image(runs, coco_document, tmp_path):
    source, out = tmp_path / "train.json", tmp_path / "out.json"
    source.write_bytes(orjson.dumps(coco_document(images=20)))
    journal = tmp_path / ".out.json.journal"

    def enough():
        return journal.exists() and len(journal.read_bytes().splitlines()) > 6

    runs.kill(enough, COSTLY, source, out, workers=2)
    assert not out.exists()
    kept = len(journal.read_bytes().splitlines()) - 1
    assert 6 <= kept < 20
    journal.write_bytes(journal.read_bytes() + b'{"image":')  # a line that was being written
    assert runs.finish(COSTLY, source, out) == 2 * (20 - kept)
    assert not journal.exists()
    assert runs.finish(COSTLY, source, tmp_path / "whole.json") == 40
    assert out.read_bytes() == (tmp_path / "whole.json").read_bytes()
    manifests = [orjson.loads((tmp_path / f"{name}.manifest.json").read_bytes()) for name in ("out", "whole")]
    assert manifests[0]["counts"] == manifests[1]["counts"]


def test_a_journal_of_another_run_is_not_used(runs, coco_document, tmp_path):
    source, out, journal = tmp_path / "train.json", tmp_path / "out.json", tmp_path / ".out.json.journal"
    broken = coco_document(images=3)
    broken["annotations"][-1]["segmentation"] = [[1, 2, 3, 4]]
    source.write_bytes(orjson.dumps(broken))
    with pytest.raises(LabelError, match="annotation 31: polygon 0"):
        runs.finish(COSTLY, source, out)
    assert len(journal.read_bytes().splitlines()) == 3
    source.write_bytes(orjson.dumps(coco_document(images=3)))
    with pytest.raises(FileExistsError, match=r"out\.json\.journal: belongs to a run with another clean; force starts"):
        runs.finish(COSTLY, source, out)
    assert runs.finish(COSTLY, source, out, force=True) == 6
    assert not journal.exists()


@pytest.fixture
def half(maps, tmp_path, monkeypatch):
    """Returns source and target of a run that broke after two of three files."""
    source = maps(["x/1.png", "x/2.png", "x/3.png"])
    good = (source / "x" / "3.png").read_bytes()
    (source / "x" / "3.png").write_bytes(b"broken")
    monkeypatch.setattr("noisyseg.noise.dataset.trees.CHUNK", 1)
    with pytest.raises(ValueError, match=r"3\.png"):
        make_noise(CONFUSE, source, tmp_path / "out", seed=0, classes=NAMES)
    (source / "x" / "3.png").write_bytes(good)
    return source, tmp_path / "out"


@pytest.fixture
def whole(half, tmp_path, contents):
    """Returns what the run that broke should have written."""
    make_noise(CONFUSE, half[0], tmp_path / "whole", seed=0, classes=NAMES)
    return contents(tmp_path / "whole")


def go_on(half, **changes):
    options = {"recipe": CONFUSE, "seed": 0, "classes": NAMES} | changes
    return make_noise(source=half[0], target=half[1], **options)


def test_a_run_goes_on(half, whole, contents):
    go_on(half)
    assert contents(half[1]) == whole


def test_what_was_being_written_is_removed(half, whole, contents):
    left = half[1] / "x" / ".3.png.abc_12.partial"
    left.write_bytes(b"half")
    other = half[1] / "x" / ".mine.partial"
    other.write_bytes(b"mine")
    go_on(half)
    assert not left.exists()
    assert other.read_bytes() == b"mine"
    other.unlink()
    assert contents(half[1]) == whole


def test_a_line_that_was_being_written_does_not_count(half, whole, contents):
    journal = half[1] / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-20])
    go_on(half)
    assert contents(half[1]) == whole


def test_a_file_that_was_removed_is_made_again(half, whole, contents):
    (half[1] / "x" / "1.png").unlink()
    go_on(half)
    assert contents(half[1]) == whole
    (half[1] / "x" / "2.png").unlink()
    go_on(half)
    assert contents(half[1]) == whole


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"seed": 1}, "belongs to a run with another seed; force"),
        ({"recipe": CONFUSE | {"on_empty": "drop"}}, "belongs to a run with another recipe; force"),
        ({"classes": ("a", "b", "other")}, "belongs to a run with another classes; force"),
        ({"ignore": 200}, "another ignore|expected the numbers"),
    ],
)
def test_another_run_is_refused_unless_forced(half, contents, finished, changes, problem):
    if finished:
        go_on(half)
    before = contents(half[1])
    with pytest.raises((FileExistsError, ValueError), match=problem):
        go_on(half, **changes)
    assert contents(half[1]) == before
    if "ignore" not in changes:
        manifest = go_on(half, **changes, force=True)
        assert manifest["seed"] == changes.get("seed", 0)
        assert len(contents(half[1])) == 3


@pytest.mark.parametrize("finished", [False, True])
def test_a_changed_file_is_refused_unless_forced(half, whole, contents, finished):
    if finished:
        go_on(half)
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(half[1] / "x" / "1.png")
    with pytest.raises(FileExistsError, match=r"out/x/1\.png: has changed since it was made; force starts over"):
        go_on(half)
    go_on(half, force=True)
    assert contents(half[1]) == whole


@pytest.mark.parametrize("finished", [False, True])
def test_a_changed_input_is_refused_unless_forced(half, finished):
    if finished:
        go_on(half)
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(half[0] / "x" / "1.png")
    with pytest.raises(FileExistsError, match=r"maps/x/1\.png: has changed since .*1\.png was made from it; force"):
        go_on(half)
    assert go_on(half, force=True)["counts"]["pixels"] > 0


@pytest.mark.parametrize("finished", [False, True])
def test_other_files_are_refused_unless_forced(half, contents, finished):
    if finished:
        go_on(half)
    (half[0] / "x" / "1.png").rename(half[0] / "x" / "4.png")
    with pytest.raises(FileExistsError, match=r"belongs to a run over other files \(x/1\.png"):
        go_on(half)
    go_on(half, force=True)
    assert sorted(contents(half[1])) == ["x/2.png", "x/3.png", "x/4.png"]


def test_a_file_of_somebody_else_has_to_be_what_the_run_makes(half, whole, contents):
    (half[1] / "x" / "3.png").write_bytes(b"precious")
    with pytest.raises(FileExistsError, match=r"3\.png: is there already, and is not what this run makes"):
        go_on(half)
    assert (half[1] / "x" / "3.png").read_bytes() == b"precious"
    (half[1] / "x" / "3.png").write_bytes(whole["x/3.png"])
    go_on(half)
    assert contents(half[1]) == whole


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_of_somebody_else_is_never_touched(maps, tmp_path, force):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("precious")
    with pytest.raises(FileExistsError, match=r"out: is there already and has no noise\.manifest\.json, so it is some"):
        make_noise(CONFUSE, maps(["a.png"]), tmp_path / "out", seed=0, classes=NAMES, force=force)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("target", ["maps", "maps/out", ".", "link", "link/out"])
def test_folders_inside_each_other_are_refused(maps, tmp_path, target):
    source = maps(["a.png"])
    (tmp_path / "link").symlink_to(source)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match=r"is the folder of the clean labels itself|one of them contains the other"):
        make_noise(CONFUSE, source, tmp_path / target, seed=0, classes=NAMES, force=True)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_output_that_is_a_file_or_cannot_be_written(maps, tmp_path):
    source = maps(["a.png"])
    (tmp_path / "file").write_text("precious")
    with pytest.raises(FileExistsError, match="file: expected a folder for the noisy files, but there is a file"):
        make_noise(CONFUSE, source, tmp_path / "file", seed=0, classes=NAMES, force=True)
    with pytest.raises(OSError, match=r"/proc/noisyseg"):
        make_noise(CONFUSE, source, Path("/proc/noisyseg"), seed=0, classes=NAMES)


def test_a_manifest_without_its_file_is_that_of_a_killed_run(tmp_path, coco_document):
    source, out = tmp_path / "train.json", tmp_path / "out.json"
    source.write_bytes(orjson.dumps(coco_document()))
    first = generate_noise(CONFUSE, source, out, seed=0)
    expected = out.read_bytes()
    out.unlink()  # as if killed before it took its place
    with pytest.raises(FileExistsError, match=r"out\.manifest\.json: is there already"):
        generate_noise(CONFUSE, source, out, seed=1)
    again = generate_noise(CONFUSE, source, out, seed=0)
    assert out.read_bytes() == expected
    assert Counter(again["counts"]) == Counter(first["counts"])
