import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import orjson
import pytest
from PIL import Image
from pycocotools.coco import COCO

from noisyseg.integration.recipes import load_recipe
from noisyseg.noise.dataset import backends, layouts
from noisyseg.noise.dataset.generate import generate_noise

RECIPE = """
noise = dict(type="noisyseg.Recipe", noises=[dict(type="noisyseg.Scale", size=3)])
"""
# Hangs in the middle of writing, when the key "annotations" is about to be written.
HANG_WHILE_WRITING = """
import runpy, sys, time
import orjson
import noisyseg.noise.dataset.generate as generate

class Hanging:
    loads = staticmethod(orjson.loads)

    def dumps(self, value, **options):
        if value == "annotations":
            print("writing", flush=True)
            time.sleep(60)
        return orjson.dumps(value, **options)

generate.orjson = Hanging()
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def tool(load_tool):
    return load_tool("make_noise")


@pytest.fixture
def document():
    square = {"segmentation": [[4, 5, 13, 5, 13, 14, 4, 14]], "bbox": [4, 5, 9, 9], "area": 81, "iscrowd": 0}
    return {
        "images": [{"id": 1, "file_name": "a.png", "height": 30, "width": 40}],
        "annotations": [{"id": id_, "image_id": 1, "category_id": 7} | square for id_ in (5, 6)],
        "categories": [{"id": 7, "name": "seven"}],
    }


@pytest.fixture
def folder(tmp_path, document):
    """Returns a folder with a recipe and labels; its name says nothing about a split."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "recipe.py").write_text(RECIPE)
    (folder / "labels.json").write_bytes(orjson.dumps(document))
    return folder


def arguments(folder, *options):
    return [*(str(folder / name) for name in ("recipe.py", "labels.json", "out.json")), "--seed", "0", *options]


def read(path):
    return orjson.loads(path.read_bytes())


def enlarged(train, copies):
    """Returns real annotations several times over, with ids of their own."""
    value = read(train)
    images, annotations = [], []
    for copy in range(copies):
        shift = copy * 10**8
        images += [image | {"id": image["id"] + shift} for image in value["images"]]
        annotations += [
            annotation | {"id": annotation["id"] + copy * 10**13, "image_id": annotation["image_id"] + shift}
            for annotation in value["annotations"]
        ]
    return value | {"images": images, "annotations": annotations}


def test_it_writes_what_the_library_writes_and_says_where(tool, folder, capsys):
    assert tool.main(arguments(folder)) == 0
    out = capsys.readouterr().out
    assert "2 annotations in" in out
    assert "mask_changed" in out
    assert f"noisy labels: {folder / 'out.json'}" in out
    assert f"manifest:     {folder / 'out.manifest.json'}" in out
    recipe = {"type": "noisyseg.Recipe", "noises": [{"type": "noisyseg.Scale", "size": 3}]}
    generate_noise(recipe, folder / "labels.json", folder / "expected.json", seed=0)
    assert (folder / "out.json").read_bytes() == (folder / "expected.json").read_bytes()
    assert read(folder / "out.manifest.json")["recipe"] == recipe


def test_a_shipped_recipe_on_real_annotations(tool, coco_tiny_dir, tmp_path):
    train = coco_tiny_dir / "annotations" / "instances_train2017.json"
    assert tool.main(["coco_n_hard", str(train), str(tmp_path / "out.json"), "--seed", "3"]) == 0
    generate_noise(load_recipe("coco_n_hard"), train, tmp_path / "expected.json", seed=3)
    assert (tmp_path / "out.json").read_bytes() == (tmp_path / "expected.json").read_bytes()
    assert len(COCO(str(tmp_path / "out.json")).anns) == 705


def test_clean_boxes_stay_on_request(tool, folder, document):
    assert tool.main(arguments(folder, "--keep-boxes")) == 0
    for noisy, clean in zip(read(folder / "out.json")["annotations"], document["annotations"], strict=True):
        assert (noisy["bbox"], noisy["area"]) == (clean["bbox"], clean["area"])
        assert noisy["noise"]["flags"] == ["mask_changed"]
    assert read(folder / "out.manifest.json")["recipe"]["boxes"] == "keep"


def test_id_zero_is_said(tool, folder, document, capsys):
    document["annotations"][0]["id"] = 0
    (folder / "labels.json").write_bytes(orjson.dumps(document))
    assert tool.main(arguments(folder)) == 0
    assert "warning: an annotation had id 0" in capsys.readouterr().out


def test_it_refuses_to_overwrite_unless_forced(tool, folder, capsys):
    (folder / "out.json").write_text("precious")
    assert tool.main(arguments(folder)) == 2
    assert "out.json: is there already; nothing was written" in capsys.readouterr().err
    assert (folder / "out.json").read_text() == "precious"
    assert tool.main(arguments(folder, "--force")) == 0
    assert len(read(folder / "out.json")["annotations"]) == 2


def test_it_refuses_to_replace_its_input(tool, folder, document, capsys):
    (folder / "out.json").symlink_to("labels.json")
    assert tool.main(arguments(folder, "--force")) == 2
    assert "is there already" in capsys.readouterr().err
    assert read(folder / "labels.json") == document


def test_it_refuses_val_unless_named(tool, folder, capsys):
    (folder / "labels.json").rename(folder / "instances_val2017.json")
    command = arguments(folder)
    command[1] = str(folder / "instances_val2017.json")
    assert tool.main(command) == 2
    assert "looks like a validation or test file" in capsys.readouterr().err
    assert not (folder / "out.json").exists()
    assert tool.main([*command, "--split", "val"]) == 0


@pytest.mark.parametrize("place", ["labels.json/sub/out.json", "/proc/noisyseg/out.json"])
def test_an_unwritable_output_folder_is_reported(tool, folder, capsys, place):
    command = arguments(folder)
    command[2] = str(folder / place)
    before = sorted(folder.rglob("*"))
    assert tool.main(command) == 2
    assert str(Path(place).parent) in capsys.readouterr().err
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda d: d["annotations"][1].update(category_id=9),
            "labels.json: annotation 6: category_id: expected one of",
        ),
        (lambda d: d["annotations"][1].update(bbox=[1, 2, 3]), "labels.json: annotation 6: bbox: expected four finite"),
        (lambda d: d["annotations"][1].update(segmentation=[]), "labels.json: annotation 6: segmentation: expected at"),
        (lambda d: d["annotations"][1].update(image_id=9), "labels.json: annotation 6: image_id: expected an image"),
        (lambda d: d["annotations"][1].update(id=5), "labels.json: annotation 5: expected unique ids"),
        (lambda d: d["images"][0].update(height=0), "labels.json: image 1: height, width: expected whole numbers"),
        (lambda d: d.pop("categories"), "labels.json: expected a list under 'categories', got NoneType"),
    ],
)
def test_a_broken_input_is_reported_and_nothing_written(tool, folder, document, capsys, change, problem):
    change(document)
    (folder / "labels.json").write_bytes(orjson.dumps(document))
    before = sorted(folder.iterdir())
    assert tool.main(arguments(folder)) == 2
    assert problem in capsys.readouterr().err
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(("text", "problem"), [("{", "not JSON"), ("[]", "expected a JSON object, got list")])
def test_what_is_no_document_is_reported(tool, folder, capsys, text, problem):
    (folder / "labels.json").write_text(text)
    assert tool.main(arguments(folder)) == 2
    assert f"labels.json: {problem}" in capsys.readouterr().err


def test_a_missing_input_is_reported(tool, folder, capsys):
    (folder / "labels.json").unlink()
    assert tool.main(arguments(folder)) == 2
    assert "labels.json: cannot be read: No such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("noise = 1", "expected a variable noise"),
        (
            "noise = dict(type='noisyseg.Recipe', noises=[dict(type='noisyseg.Scale', size=4)])",
            "expected an odd number",
        ),
        ("noise = dict(type='noisyseg.Recipe', noises=[dict(type='noisyseg.Scale', siez=3)])", "'siez'"),
        ("noise = dict(type='noisyseg.Recipe', noises=[dict(type='noisyseg.Nonsense')])", "Nonsense"),
        ("noise = dict(type='noisyseg.Scale', size=3)", "expected a noisyseg.Recipe at the outside"),
    ],
)
def test_a_broken_recipe_is_reported(tool, folder, capsys, text, problem):
    (folder / "recipe.py").write_text(text)
    assert tool.main(arguments(folder)) == 2
    assert problem in capsys.readouterr().err
    assert not (folder / "out.json").exists()


@pytest.mark.parametrize("options", [["--seed", "-1"], ["--seed", "x"], ["--workers", "0"], ["--split", "dev"]])
def test_a_wrong_option_is_refused(tool, folder, options, capsys):
    with pytest.raises(SystemExit) as exit_:
        tool.main(arguments(folder, *options))
    assert exit_.value.code == 2
    assert f"argument {options[0]}" in capsys.readouterr().err


def test_help_needs_no_heavy_import(tool):
    code = (
        f"import runpy, sys; tool = runpy.run_path({tool.__file__!r})\n"
        "try: tool['main'](['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(sorted({'numpy', 'cv2', 'torch', 'mmengine'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--keep-boxes" in result.stdout
    assert result.stdout.splitlines()[-1] == "[]"


def heed_interrupts():
    """Undo what a shell does to the jobs that it starts in the background: they ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_killed_while_writing_it_leaves_the_old_file_and_runs_again(tool, folder, kill):
    (folder / "out.json").write_text("old")
    command = [sys.executable, "-c", HANG_WHILE_WRITING, tool.__file__, *arguments(folder, "--force")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, preexec_fn=heed_interrupts, **pipes) as process:
        assert process.stdout.readline() == "writing\n"
        process.send_signal(kill)
        error = process.communicate(timeout=30)[1]
    assert (folder / "out.json").read_text() == "old"
    left = {path.name for path in folder.iterdir()} - {"recipe.py", "labels.json", "out.json"}
    if kill == signal.SIGINT:
        assert process.returncode == 130
        assert error == "make_noise: interrupted; nothing was written\n"
        assert left == set()
    else:
        assert process.returncode == -signal.SIGKILL
        (partial,) = left
        assert partial.startswith(".out.json.")
        assert partial.endswith(".partial")
    assert tool.main(arguments(folder, "--force")) == 0
    assert len(read(folder / "out.json")["annotations"]) == 2


def children(process):
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return listed.read_text().split() if listed.exists() else []


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts child processes in /proc")
@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_killed_while_working_it_leaves_the_old_file_and_no_process(tool, coco_tiny_dir, tmp_path, kill):
    train = coco_tiny_dir / "annotations" / "instances_train2017.json"
    source, target = tmp_path / "many.json", tmp_path / "out.json"
    source.write_bytes(orjson.dumps(enlarged(train, 60)))
    target.write_text("old")
    command = ["coco_n_hard", str(source), str(target), "--seed", "0", "--workers", "2", "--split", "train"]
    process = subprocess.Popen(
        [sys.executable, tool.__file__, *command, "--force"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heed_interrupts,
        text=True,
        start_new_session=True,  # Ctrl-C reaches every process of the terminal's group
    )
    with process:
        deadline = time.monotonic() + 60
        while len(workers := children(process)) < 2 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.3)
        os.killpg(process.pid, kill)
        error = process.communicate(timeout=60)[1]
    assert len(workers) >= 2
    assert process.returncode == (130 if kill == signal.SIGINT else -kill)
    if kill == signal.SIGINT:
        assert "make_noise: interrupted; nothing was written" in error
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["many.json", "out.json"]
    deadline = time.monotonic() + 10
    while (alive := [pid for pid in workers if Path(f"/proc/{pid}").exists()]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert alive == []
    small = [command[0], str(train), str(target), "--seed", "0", "--force"]
    assert tool.main(small) == 0
    assert len(read(target)["annotations"]) == 705


@pytest.fixture
def tree(tmp_path):
    """Returns a folder of label maps with the classes 0, 1, 2 and 255, and names of the classes beside it."""
    for name in ("train/a.png", "train/b.png", "val/c.png"):
        path = tmp_path / "maps" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        blocks = np.random.default_rng(len(name)).choice([0, 1, 2, 255], (3, 4)).astype(np.uint8)
        Image.fromarray(np.kron(blocks, np.ones((8, 8), np.uint8))).save(path)
    (tmp_path / "names.txt").write_text("ground\ncar\ntree\n")
    return tmp_path / "maps"


def tree_arguments(folder, tree, *options):
    target = tree.with_name("noisy")
    return [str(folder / "recipe.py"), str(tree), str(target), "--seed", "0", *options]


def test_a_tree_of_maps_and_what_is_said_of_it(tool, folder, tree, capsys):
    command = tree_arguments(folder, tree, "--classes", str(tree.with_name("names.txt")))
    assert tool.main(command) == 0
    out = capsys.readouterr().out
    assert f"{tree}: 3 files in the layout png" in out
    assert "pixels of 2 files in" in out
    assert "changed" in out
    assert "left out: 1 files that are val" in out
    assert "warning: the recipe is for instances, so it is applied to the connected regions of the maps" in out
    noisy = tree.with_name("noisy")
    assert f"manifest:     {noisy / 'noise.manifest.json'}" in out
    assert sorted(path.name for path in noisy.rglob("*.png")) == ["a.png", "b.png"]
    before = (noisy / "train" / "a.png").stat().st_mtime_ns
    assert tool.main(command) == 0
    assert "an earlier run had finished; its files were checked" in capsys.readouterr().out
    assert (noisy / "train" / "a.png").stat().st_mtime_ns == before
    command[4] = "1"
    assert tool.main(command) == 2
    assert "belongs to a run with another seed" in capsys.readouterr().err
    assert tool.main([*command, "--force"]) == 0
    assert read(noisy / "noise.manifest.json")["seed"] == 1


def test_a_folder_of_coco_files(tool, folder, document, capsys):
    shards = folder / "shards"
    shards.mkdir()
    for k in range(2):
        (shards / f"{k}.json").write_bytes(orjson.dumps(document))
    command = [str(folder / "recipe.py"), str(shards), str(folder / "noisy"), "--seed", "0"]
    assert tool.main([*command, "--keep-boxes"]) == 0
    assert "4 annotations of 2 files in" in capsys.readouterr().out
    for k in range(2):
        for noisy, clean in zip(
            read(folder / "noisy" / f"{k}.json")["annotations"], document["annotations"], strict=True
        ):
            assert noisy["bbox"] == clean["bbox"]
            assert noisy["segmentation"] != clean["segmentation"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ([], "label maps of no known layout: classes: expected the names"),
        (["--layout", "voc"], "expected VOC label maps SegmentationClass"),
        (["--classes", "nowhere.txt"], "nowhere.txt"),
        (["--backend", "dask", "--dask-scheduler", "nonsense://x"], "nonsense"),
        (["--keep-boxes", "--classes", "NAMES"], "--keep-boxes: expected COCO files, got the layout png"),
    ],
)
def test_a_tree_that_does_not_fit_is_reported(tool, folder, tree, capsys, options, problem):
    if options[:1] == ["--backend"]:
        pytest.importorskip("distributed")
        options = [*options, "--classes", "NAMES"]
    options = [str(tree.with_name("names.txt")) if option == "NAMES" else option for option in options]
    assert tool.main(tree_arguments(folder, tree, *options)) == 2
    assert problem in capsys.readouterr().err
    assert not list(tree.with_name("noisy").rglob("*.png"))


def test_a_backend_that_is_not_installed_is_reported(tool, folder, tree, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setitem(sys.modules, "ray.util.joblib", None)
    names = str(tree.with_name("names.txt"))
    assert tool.main(tree_arguments(folder, tree, "--classes", names, "--backend", "ray")) == 2
    assert "ray is not installed: pip install 'noisyseg[ray]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("nowhere", "nowhere: no such file or folder"),
        ("single.png", "single.png: expected a COCO file or the folder of label files, got a single label file"),
        ("empty", "empty: expected labels, but there is none of"),
    ],
)
def test_no_labels_are_reported(tool, folder, capsys, source, problem):
    (folder / "empty").mkdir()
    (folder / "single.png").touch()
    command = [str(folder / "recipe.py"), str(folder / source), str(folder / "noisy"), "--seed", "0"]
    assert tool.main(command) == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--dask-scheduler", "tcp://a:1"], "argument --dask-scheduler: expected --backend dask with it"),
        (["--ignore", "7"], "argument --ignore: expected --classes with it"),
        (["--layout", "voc", "--keep-boxes"], "argument --keep-boxes: expected a COCO file"),
        (["--layout", "lvis"], "argument --layout: invalid choice"),
        (["--backend", "threads"], "argument --backend: invalid choice"),
    ],
)
def test_options_that_do_not_fit_are_refused(tool, folder, capsys, options, problem):
    with pytest.raises(SystemExit) as exit_:
        tool.main(arguments(folder, *options))
    assert exit_.value.code == 2
    assert problem in capsys.readouterr().err


def test_the_choices_are_those_of_the_library(tool):
    assert ("auto", *layouts.LAYOUTS) == tool.LAYOUTS
    assert tool.BACKENDS == backends.BACKENDS
