"""The main job on real annotations: check, make noise, look at it, train on it, evaluate on clean labels.

The same steps, at full size, are told in docs/walkthrough_coco.md.
"""

import json
import math
import shutil
import subprocess
import sys

import pytest

pytest.importorskip("mmdet")

RECIPE = "coco_n_hard"
CONFIG = "baseline_mask-rcnn-r18-small_2k_coco-coco-n-hard.py"
ITERATIONS = 300
# Small enough for about two minutes: smaller images and batches, and a part of the validation images.
SMALLER = [
    f"train_cfg.max_iters={ITERATIONS}",
    f"train_cfg.val_interval={ITERATIONS}",
    f"param_scheduler.1.end={ITERATIONS}",
    "default_hooks.logger.interval=10",
    "train_dataloader.batch_size=2",
    "train_dataloader.dataset.pipeline.2.scale=(192,144)",
    *(f"val_dataloader.dataset.datasets.{i}.indices=12" for i in range(3)),
    "test_dataloader.dataset.pipeline.1.scale=(192,144)",
    *(f"{loader}_dataloader.num_workers=0" for loader in ("train", "val", "test")),
    *(f"{loader}_dataloader.persistent_workers=False" for loader in ("train", "val", "test")),
]


@pytest.fixture(scope="module")
def coco(coco_tiny_dir, tmp_path_factory):
    """A folder in the layout of COCO 2017 in which files can be written."""
    root = tmp_path_factory.mktemp("main") / "coco"
    shutil.copytree(coco_tiny_dir / "annotations", root / "annotations", copy_function=shutil.copyfile)
    for split in ("train2017", "val2017"):
        (root / split).symlink_to(coco_tiny_dir / split)
    return root


@pytest.fixture
def clean(coco):
    return coco / "annotations" / "instances_train2017.json"


@pytest.fixture
def noisy(coco):
    return coco / "annotations" / f"instances_train2017_{RECIPE}.json"


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("main") / "work"


def logged(work_dir):
    """Returns what training wrote at each step, and what validation wrote."""
    (file,) = work_dir.glob("*/vis_data/scalars.json")
    entries = [json.loads(line) for line in file.read_text().splitlines()]
    return [e for e in entries if "loss" in e], [e for e in entries if "clean/segm_mAP" in e]


@pytest.mark.slow
def test_from_clean_annotations_to_a_score(coco, clean, noisy, work_dir, repository, load_tool, monkeypatch, capsys):
    monkeypatch.setenv("NOISYSEG_COCO", str(coco))
    config = str(repository / "configs" / "baseline" / CONFIG)

    assert load_tool("check_labels").main([str(clean), "--images", str(coco / "train2017")]) == 0

    assert load_tool("make_noise").main([RECIPE, str(clean), str(noisy), "--seed", "0"]) == 0
    manifest = json.loads(noisy.with_suffix(".manifest.json").read_text())
    assert manifest["annotations"] == 705
    assert 0.3 < manifest["rates"]["class_changed"] < 0.5
    capsys.readouterr()
    load_tool("check_labels").main([str(noisy), "--json"])
    found = [f for f in json.loads(capsys.readouterr().out)["findings"] if f["severity"] != "info"]
    # Untouched polygons are written as RLE, which shows where a given box is off a part thinner than a pixel.
    assert {f["code"] for f in found} <= {"bbox-mismatch"}
    assert len(found) <= 2

    picture = coco.parent / "noise.png"
    browse = [str(clean), str(noisy), "--out", str(picture), "--images", str(coco / "train2017"), "--count", "4"]
    assert load_tool("browse_noise").main(browse) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")

    def run(tool, *arguments):
        """Runs a tool in its own process: mmengine's visualizer, one a process, logs where its first run did."""
        command = [sys.executable, repository / "tools" / tool, config, *arguments, "--cfg-options", *SMALLER]
        subprocess.run(command, check=True)

    run("train.py", "--work-dir", work_dir)
    checkpoint = work_dir / f"iter_{ITERATIONS}.pth"
    assert checkpoint.is_file()
    steps, (scores,) = logged(work_dir)
    losses = [step["loss"] for step in steps]
    assert all(math.isfinite(loss) for loss in losses)
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    for split in ("clean", "given", "clean_train"):
        assert {f"{split}/bbox_mAP", f"{split}/segm_mAP"} <= set(scores)

    tested = work_dir / "test"
    run("test.py", checkpoint, "--work-dir", tested)
    (file,) = tested.glob("*/*.json")
    result = json.loads(file.read_text())
    assert {"clean/bbox_mAP", "clean/segm_mAP", "clean/segm_mAP_s"} <= set(result)
    assert all(-1 <= result[key] <= 1 for key in result if key.startswith("clean/"))
