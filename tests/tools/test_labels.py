import json

import numpy as np
import pytest
from PIL import Image

from noisyseg.labels.files import write_json
from noisyseg.labels.store import LabelStore


@pytest.fixture
def tool(load_tool):
    return load_tool("labels")


@pytest.fixture
def store(tmp_path):
    """Two versions of two maps, as a correction hook writes them; the second one is in force."""
    store = LabelStore(tmp_path / "work" / "label_store")
    (tmp_path / "given").mkdir()
    for name in ("a", "b"):
        Image.fromarray(np.zeros((4, 6), np.uint8)).save(tmp_path / "given" / f"{name}.png")
    for epoch, (key, rows) in enumerate((("a", 1), ("b", 2)), start=3):
        version, pixels = store.begin(), np.zeros((4, 6), np.uint8)
        pixels[:rows] = 1
        store.put(key, "labels", pixels, version)
        changed = {"ground": {"gained": 0, "lost": 6 * rows}, "tree": {"gained": 6 * rows, "lost": 0}}
        info = {"origin": "0123456789abcdef", "epoch": epoch, "due": ["tree"], "images": 2, "changed_images": 1}
        store.finish(version, parent=version - 1, info=info | {"changed": changed})
        store.set_current(version)
    settings = [{"reduce_zero_label": False, "label_map": None}]
    write_json(store.root / "given.json", {"classes": ["ground", "tree"], "settings": settings})
    return store


@pytest.fixture
def run(tool, store, capsys):
    """Return a function that runs a command on the store and returns exit code, output and errors."""

    def run(command, *arguments):
        code = tool.main([command, str(store.root), *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def given(tmp_path):
    return ("--given", tmp_path / "given")


def test_log_tells_the_versions(run, store):
    store.put("c", "labels", np.zeros((1, 1), np.uint8), store.begin())
    code, out, _ = run("log")
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "  0     as given"
    assert lines[1].startswith("  1     on 0, ")
    assert lines[1].endswith("6 pixels changed")
    assert lines[2] == "        origin 01234567, epoch 3, due [tree], images 2, changed_images 1"
    assert lines[3].startswith("* 2     on 1, ")
    assert lines[5].startswith("  3     not finished")
    assert lines[6].startswith("* in force; 3 versions, ")


def test_log_shows_what_other_hooks_note(run, store):
    version = store.begin()
    info = {"round": 1, "moved_share": 0.01234567, "mean_weights": [0.5, None], "faded": {"a": True}}
    store.put("a", "weights", np.zeros((4, 6), np.uint8), version)
    store.finish(version, parent=0, info=info)
    out = run("log")[1]
    assert "round 1, moved_share 0.01235, mean_weights [0.5, -], faded {a: True}" in out
    assert "1 weights" in out


def test_diff_prints_and_writes(run, given, tmp_path):
    code, out, _ = run("diff", *given, "--clean", tmp_path / "given", "--out", tmp_path / "out")
    assert code == 0
    assert "version 0 -> 2 of" in out
    assert "wrong" in out
    assert f"page: {tmp_path / 'out' / 'index.html'}" in out
    document = json.loads((tmp_path / "out" / "label_diff.json").read_text())
    assert (document["totals"]["changed"], document["totals"]["wrong"]) == (18, 18)
    assert document["moves"][0]["to"] == "tree"
    assert json.loads((tmp_path / "out" / "label_diff.json").read_text())["from"] == 0
    code, out, _ = run("diff", *given, "--from", 1)
    assert "version 1 -> 2" in out
    assert "12 (25.00 %)" in out


def test_export_writes_the_version_in_force_or_another(run, given, tmp_path):
    code, out, _ = run("export", *given, "--out", tmp_path / "out")
    assert (code, "version 2: 2 label maps, 2 of them changed, in 18 pixels" in out) == (0, True)
    assert np.asarray(Image.open(tmp_path / "out" / "b.png")).sum() == 12
    run("export", *given, "--out", tmp_path / "first", "--version", 1)
    assert np.asarray(Image.open(tmp_path / "first" / "b.png")).sum() == 0


def test_restore_puts_in_force_and_says_what_was(run, store):
    assert run("restore", 1)[:2] == (0, "version 1 is in force, before it was 2\n")
    assert store.current == 1
    assert run("restore", 0)[1] == "version 0 is in force, before it was 1\n"
    assert run("restore", 0)[1] == "version 0 is in force, as before\n"
    code, _, err = run("restore", 7)
    assert (code, store.current) == (2, 0)
    assert "expected one of the versions 0, 1, 2 (0: as given), got '7'" in err


def test_prune_removes_with_yes_only(run, store):
    assert run("prune")[1].startswith("every version is needed")
    store.finish(store.begin(), parent=0)
    store.set_current(3)
    code, out, _ = run("prune")
    assert (code, store.versions()) == (0, [1, 2, 3])
    assert "not needed: 1, 2 (" in out
    assert "a checkpoint that names one of them could not be resumed" in out
    assert run("prune", "--keep", 1)[1].startswith("not needed: 2 (")
    assert run("prune", "--yes")[1].startswith("removed: 1, 2 (")
    assert store.versions() == [3]


class TestCoco:
    @pytest.fixture
    def coco(self, tmp_path):
        path = tmp_path / "given.json"
        entry = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 3, 0, 3, 3, 0, 3]]}
        document = {
            "images": [{"id": 1, "file_name": "a.png", "height": 4, "width": 6}],
            "annotations": [entry | {"bbox": [0, 0, 3, 3], "area": 9, "iscrowd": 0}],
            "categories": [{"id": 1, "name": "tree"}],
        }
        path.write_text(json.dumps(document))
        return path

    @pytest.fixture
    def store(self, tmp_path):
        store = LabelStore(tmp_path / "store")
        version = store.begin()
        store.put("a", "instances", {1: {"size": [4, 6], "counts": "0h0"}}, version)  # all pixels
        store.finish(version, parent=0)
        store.set_current(version)
        return store

    def test_diff_and_export(self, run, coco, tmp_path):
        out = run("diff", "--given", coco, "--clean", coco, "--out", tmp_path / "out")[1]
        assert "masks changed" in out
        assert "15 (62.50 %)" in out
        assert (tmp_path / "out" / "index.html").is_file()
        code, out, _ = run("export", "--given", coco, "--out", tmp_path / "out.json")
        assert (code, "1 annotations, 1 of them changed, 0 now empty" in out) == (0, True)
        assert json.loads((tmp_path / "out.json").read_text())["annotations"][0]["area"] == 24

    def test_options_of_maps_are_refused(self, run, coco):
        code, _, err = run("diff", "--given", coco, "--reduce-zero-label")
        assert (code, "are for a folder of label maps" in err) == (2, True)


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--from", "9"], "expected one of the versions 0, 1, 2"),
            (["--clean", "nowhere.json"], "nowhere.json"),
            (["--images", "nowhere", "--out", "out"], "nowhere: expected a folder of images, got none"),
            (["--classes", "nowhere.txt"], "nowhere.txt"),
            (["--suffix", "_x.png"], "expected label maps *_x.png in it, got none"),
        ],
    )
    def test_unusable_input_is_named(self, run, given, tmp_path, monkeypatch, arguments, message):
        monkeypatch.chdir(tmp_path)
        code, _, err = run("diff", *given, *arguments)
        assert (code, err.startswith("labels: "), message in err) == (2, True, True)

    def test_a_setting_that_the_training_did_not_have(self, run, given):
        code, _, err = run("diff", *given, "--reduce-zero-label")
        assert (code, "reduce_zero_label was False in the training that wrote this store" in err) == (2, True)

    def test_a_store_that_is_none(self, tool, store, capsys):
        assert tool.main(["log", str(store.root.parent / "nowhere")]) == 2
        assert "nowhere: expected the folder of a label store, got none" in capsys.readouterr().err

    def test_a_key_that_the_given_labels_lack(self, run, given, tmp_path):
        (tmp_path / "given" / "a.png").unlink()
        code, _, err = run("export", *given, "--out", tmp_path / "out")
        assert (code, (tmp_path / "out").exists()) == (2, False)
        assert "given: expected labels for each key of the store, got none for 'a'" in err

    def test_a_file_of_the_store_that_is_gone(self, run, given, store):
        store.path("a", "labels", 1).unlink()
        code, _, err = run("diff", *given)
        assert (code, "v0001/labels/a.png: cannot be read: No such file" in err) == (2, True)

    def test_an_output_that_is_there(self, run, given, tmp_path):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine").write_text("")
        for command in ("export", "diff"):
            code, _, err = run(command, *given, "--out", tmp_path / "out", "--force")
            assert (code, "so it is something else" in err) == (2, True)

    def test_arguments_that_do_not_go_together(self, run, given):
        for wrong in (["--images", "x"], ["--count", "0"]):
            with pytest.raises(SystemExit) as caught:
                run("diff", *given, *wrong)
            assert caught.value.code == 2

    def test_interrupted(self, run, given, monkeypatch):
        def interrupt(*_arguments, **_settings):
            raise KeyboardInterrupt

        monkeypatch.setattr("noisyseg.evaluation.label_diff.compare_maps", interrupt)
        code, _, err = run("diff", *given)
        assert (code, "interrupted; nothing was written" in err) == (130, True)
