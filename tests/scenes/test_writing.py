import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from noisyseg.labels.coco import read_coco
from noisyseg.labels.files import sha256
from noisyseg.labels.paint import semantic_from_instances
from noisyseg.labels.rng import keyed_rng
from noisyseg.scenes import (
    CATEGORIES,
    CLASSES,
    PALETTE,
    class_edges,
    render,
    sample_scene,
    write_scenes,
    writing,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_scenes(tmp_path_factory.mktemp("scenes") / "out", train=6, val=3, size=64, seed=5)


def read(path):
    with Image.open(path) as image:
        return np.array(image)


def fingerprints(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_layout_is_the_documented_one(folder):
    expected = {"scenes.json", "annotations/instances_train.json", "annotations/instances_val.json"}
    for part in ("images", "semantic", "edges"):
        expected |= {f"{part}/train/{i:06d}.png" for i in range(1, 7)}
        expected |= {f"{part}/val/{i:06d}.png" for i in range(1, 4)}
    assert set(fingerprints(folder)) == expected


def test_the_manifest_says_what_was_made(folder):
    assert json.loads((folder / "scenes.json").read_text()) == {
        "version": writing.VERSION,
        "seed": 5,
        "size": 64,
        "classes": list(CLASSES),
        "images": {"train": 6, "val": 3},
    }


@pytest.mark.parametrize("workers", [2, 5])
def test_the_bytes_are_the_same_for_any_number_of_workers(folder, tmp_path, workers):
    other = write_scenes(tmp_path / "out", train=6, val=3, size=64, seed=5, workers=workers)
    assert fingerprints(other) == fingerprints(folder)


def test_a_smaller_set_is_the_beginning_of_a_larger_one(folder, tmp_path):
    small = fingerprints(write_scenes(tmp_path / "out", train=2, val=2, size=64, seed=5))
    large = fingerprints(folder)
    pictures = {name for name in small if name.endswith(".png")}
    assert len(pictures) == 12
    assert {name: small[name] for name in pictures} == {name: large[name] for name in pictures}


def test_another_seed_and_the_other_split_give_other_scenes(folder, tmp_path):
    other = write_scenes(tmp_path / "out", train=1, val=1, size=64, seed=6)
    names = [root / "images" / split / "000001.png" for root in (folder, other) for split in ("train", "val")]
    assert len({sha256(name) for name in names}) == 4


def test_files_hold_what_the_renderer_gives(folder):
    rendering = render(sample_scene(keyed_rng(5, "scenes", "val", 2), (64, 64)))
    np.testing.assert_array_equal(read(folder / "images/val/000002.png"), rendering.image)
    np.testing.assert_array_equal(read(folder / "semantic/val/000002.png"), rendering.semantic.classes)
    np.testing.assert_array_equal(read(folder / "edges/val/000002.png"), rendering.edges)


def test_maps_of_labels_are_bytes_with_a_palette(folder):
    for part in ("semantic", "edges"):
        with Image.open(folder / part / "train/000001.png") as image:
            assert image.mode == "P"
            assert tuple(image.getpalette()[3:6]) == PALETTE[1]
        header = (folder / part / "train/000001.png").read_bytes()
        assert header[24] == 8  # bits a pixel


@pytest.mark.parametrize("split", ["train", "val"])
def test_pycocotools_reads_the_annotations(folder, split, capsys):
    coco = COCO(folder / "annotations" / f"instances_{split}.json")
    capsys.readouterr()
    assert [category["name"] for category in coco.loadCats(coco.getCatIds())] == list(CLASSES)
    for image in coco.loadImgs(coco.getImgIds()):
        pixels = read(folder / "images" / split / image["file_name"])
        assert pixels.shape == (image["height"], image["width"], 3)
        painted = np.zeros(pixels.shape[:2], np.uint8)
        for annotation in coco.loadAnns(coco.getAnnIds(imgIds=image["id"])):
            frame = coco.annToMask(annotation)
            assert annotation["area"] == frame.sum()
            assert annotation["iscrowd"] == 0
            assert isinstance(annotation["segmentation"]["counts"], str)
            rows, columns = np.nonzero(frame)
            x, y, width, height = annotation["bbox"]
            assert (x, y, x + width, y + height) == (
                columns.min(), rows.min(), columns.max() + 1, rows.max() + 1,
            )  # fmt: skip
            painted[frame > 0] = annotation["category_id"]
        np.testing.assert_array_equal(painted, read(folder / "semantic" / split / image["file_name"]))


def test_our_reader_gives_back_semantic_map_and_edges(folder):
    file = read_coco(folder / "annotations/instances_train.json")
    assert file.categories == CATEGORIES
    for image_id, image in file.images.items():
        instances = file.instances(image_id)
        semantic = read(folder / "semantic/train" / image["file_name"])
        np.testing.assert_array_equal(semantic_from_instances(instances).classes, semantic)
        owners = sum(i * mask.frame().astype(np.int64) for i, mask in enumerate(instances.masks, start=1))
        edges = class_edges(owners, np.concatenate(([0], instances.classes + 1)))
        np.testing.assert_array_equal(edges, read(folder / "edges/train" / image["file_name"]))


def test_ids_are_unique_over_both_splits(folder):
    files = [read_coco(folder / "annotations" / f"instances_{split}.json") for split in ("train", "val")]
    images = [image_id for file in files for image_id in file.images]
    annotations = [annotation["id"] for file in files for annotation in file.document["annotations"]]
    assert images == list(range(1, 10))
    assert annotations == list(range(1, len(annotations) + 1))


def test_a_data_set_is_replaced_only_when_told_to(tmp_path):
    out = tmp_path / "out"
    write_scenes(out, train=1, val=1, size=32)
    before = fingerprints(out)
    with pytest.raises(FileExistsError, match="is there already"):
        write_scenes(out, train=2, val=1, size=32)
    assert fingerprints(out) == before
    write_scenes(out, train=2, val=1, size=32, force=True)
    assert fingerprints(out) != before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "out").mkdir()
    assert (write_scenes(tmp_path / "out", train=1, val=1, size=32) / "scenes.json").is_file()


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_of_other_things_is_never_replaced(tmp_path, force):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match=r"has no scenes\.json"):
        write_scenes(tmp_path, train=1, val=1, size=32, force=force)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_failure_leaves_the_old_data_set_and_nothing_else(tmp_path, monkeypatch):
    out = write_scenes(tmp_path / "out", train=1, val=1, size=32)
    before = fingerprints(out)

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(writing, "_write_annotations", fail)
    with pytest.raises(OSError, match="disk full"):
        write_scenes(out, train=2, val=1, size=32, force=True)
    assert fingerprints(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_folder_has_ordinary_permissions(tmp_path):
    out = write_scenes(tmp_path / "out", train=1, val=1, size=32)
    (tmp_path / "plain").mkdir()
    assert out.stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize(
    ("argument", "value", "least"),
    [("train", 0, 1), ("val", 0, 1), ("size", 31, 32), ("seed", -1, 0), ("workers", 0, 1)],
)
def test_arguments_out_of_range_are_refused_before_anything_is_written(tmp_path, argument, value, least):
    with pytest.raises(ValueError, match=f"{argument}: expected at least {least}, got {value}"):
        write_scenes(tmp_path / "out", **{argument: value})
    assert list(tmp_path.iterdir()) == []
