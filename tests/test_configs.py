"""Every config loads, builds, keeps the rules, and the small ones train."""

import ast
import re
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS, MODELS, init_default_scope
from PIL import Image

from noisyseg.correction import boundary_band_weights
from noisyseg.correction.weight_files import LabelMaps, write_object_weights, write_weight_maps
from noisyseg.integration.runner_setup import build_runner, load_config
from noisyseg.labels.coco import read_coco
from noisyseg.labels.paint import semantic_from_instances
from noisyseg.noise.dataset.generate import generate_noise
from noisyseg.scenes import write_scenes

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
LEAVES = sorted(path for path in CONFIGS.glob("[!_]*/*.py"))
CLEAN = [path for path in LEAVES if path.stem.endswith("-clean")]
NOISY = [path for path in LEAVES if not path.stem.endswith("-clean")]
ONLINE = [path for path in NOISY if path.stem.endswith("-online")]
EDGES = {path for path in LEAVES if "edge" in path.parent.name}
SMALL = [path for path in LEAVES if "small" in path.stem and "_scenes-" in path.stem]


def name(path):
    return path.relative_to(CONFIGS).as_posix()


def every(paths):
    return pytest.mark.parametrize("path", paths, ids=name)


def validation_sets(config):
    return config.val_dataloader.dataset.datasets


def kinds(pipeline):
    return [step.type for step in pipeline]


def split_of(dataset):
    assert dataset.pipeline[-1].type == "noisyseg.TagSplit"
    return dataset.pipeline[-1].split


@every(LEAVES)
def test_a_leaf_is_its_bases_and_the_difference(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 30
    assert "_base_ = " in text


@every(LEAVES)
def test_names_tell_method_model_schedule_and_data(path):
    method, _, rest = path.stem.partition(f"{path.parent.name}_")
    assert method == "", f"expected a name that begins with {path.parent.name}_"
    assert re.fullmatch(r"[a-z0-9-]+_[0-9]+[ke]_[a-z0-9]+-[a-z0-9-]+", rest)
    assert "-" not in path.parent.name


@every(sorted(CONFIGS.rglob("*.py")))
def test_every_type_has_its_scope(path):
    types = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.keyword) and node.arg in ("type", "resize_type"):
            types.append(node.value.value)
        elif isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            types += [value.value for key, value in pairs if key is not None and key.value == "type"]
    assert [kind for kind in types if not kind.startswith(("mmdet.", "mmengine.", "mmseg.", "noisyseg."))] == []


@every(CLEAN)
def test_the_model_builds_with_the_classes_of_its_data(path):
    config = Config.fromfile(path)
    init_default_scope(config.default_scope)
    model = MODELS.build(config.model)
    numbers = {module.num_classes for module in model.modules() if hasattr(module, "num_classes")} - {1}
    expected = {"coco": 80, "camvid": 11, "cityscapes": 19, "voc": 21, "segthor": 5, "bsds500": 1, "sbd": 20}
    expected["scenes"] = 6 if config.default_scope == "mmdet" or path in EDGES else 7
    if "-binary_" in path.stem:
        expected = dict.fromkeys(expected, 1)
    data = path.stem.split("_")[-1].split("-")[0]
    assert numbers == {expected[data]} - {1}
    if config.default_scope == "mmseg":
        assert all(m.avg_non_ignore for m in model.modules() if hasattr(m, "avg_non_ignore"))
        assert len(config.classes) == expected[data]


@every([path for path in NOISY if path.parent.name == "baseline"])
def test_a_noisy_config_differs_from_the_clean_one_in_its_labels_alone(path):
    noisy = Config.fromfile(path)
    clean = Config.fromfile(path.with_name(re.sub(r"_([a-z0-9]+)-[a-z0-9-]+$", r"_\1-clean", path.stem) + ".py"))
    for part in ("model", "optim_wrapper", "param_scheduler", "train_cfg", "test_dataloader", "test_evaluator"):
        assert noisy[part] == clean[part]
    assert validation_sets(noisy)[0] == validation_sets(clean)[0] == clean.test_dataloader.dataset
    assert noisy.train_dataloader.dataset != clean.train_dataloader.dataset


@every(LEAVES)
def test_validation_scores_every_split_it_looks_at(path):
    config = Config.fromfile(path)
    splits = [split_of(dataset) for dataset in validation_sets(config)]
    assert splits == [metric.split for metric in config.val_evaluator]
    assert splits == (["clean", "given"] if path in CLEAN else ["clean", "given", "clean_train"])


@every(LEAVES)
def test_given_labels_are_those_trained_on(path):
    config = Config.fromfile(path)
    trained, given = config.train_dataloader.dataset, validation_sets(config)[1]
    for key in ("data_root", "data_prefix", "ann_file"):
        assert trained.get(key) == given.get(key)
    noise = [[step for step in data.pipeline if step.type == "noisyseg.InjectNoise"] for data in (trained, given)]
    assert noise[0] == noise[1]
    assert len(noise[0]) == (path in ONLINE)
    for dataset in (validation_sets(config)[0], *validation_sets(config)[2:]):
        assert "noisyseg.InjectNoise" not in kinds(dataset.pipeline)


@every(ONLINE)
def test_noise_stands_where_labels_are_known_and_nothing_is_augmented(path):
    config = Config.fromfile(path)
    for dataset in (config.train_dataloader.dataset, validation_sets(config)[1]):
        steps = kinds(dataset.pipeline)
        place = steps.index("noisyseg.InjectNoise")
        if config.default_scope == "mmdet":
            assert steps[:place] == ["mmengine.LoadImageFromFile"]
        else:
            assert steps[:place] == ["mmengine.LoadImageFromFile", "mmseg.LoadAnnotations"]
            # The label maps of scenes have a background, which has no edges of its own.
            ground = ["background"] if path in EDGES and "_scenes-" in path.stem else []
            assert list(dataset.pipeline[place].classes) == [*ground, *config.classes]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """A very small data set of scenes with all the noisy labels that configs ask for."""
    folder = write_scenes(tmp_path_factory.mktemp("data") / "scenes", train=8, val=4)
    clean, noisy = (folder / "annotations" / f"instances_train{end}.json" for end in ("", "_coco_n_hard"))
    generate_noise(Config.fromfile(CONFIGS / "_base_/noise/coco_n_hard.py").noise.to_dict(), clean, noisy, seed=0)
    coco = read_coco(noisy)
    maps = folder / "semantic_coco_n_hard" / "train"
    maps.mkdir(parents=True)
    for image_id, image in coco.images.items():
        Image.fromarray(semantic_from_instances(coco.instances(image_id)).classes).save(maps / image["file_name"])
    write_weight_maps(
        LabelMaps(maps),
        folder / "weights_coco_n_hard" / "train",
        lambda _, labels: boundary_band_weights(labels, 2, 0.5),
        about={},
    )
    write_object_weights(noisy, clean, folder / "annotations" / "weights_train_coco_n_hard.json")
    return folder


def without_workers(config):
    for loader in (config.train_dataloader, config.val_dataloader, config.test_dataloader):
        loader.num_workers, loader.persistent_workers = 0, False
    return config


@every(SMALL)
@pytest.mark.slow
def test_a_small_config_trains_and_validates(path, scenes, tmp_path, monkeypatch):
    monkeypatch.setenv("NOISYSEG_SCENES", str(scenes))
    config = without_workers(load_config(str(path), work_dir=str(tmp_path)))
    config.merge_from_dict({"train_cfg.max_iters": 2, "train_cfg.val_interval": 2, "param_scheduler": []})
    runner = build_runner(config)
    runner.train()
    scores = runner.message_hub.log_scalars
    key = "segm_mAP" if config.default_scope == "mmdet" else "ODS" if path in EDGES else "mIoU"
    found = {tag.split("/")[1] for tag in scores if tag.startswith("val/") and tag.endswith(f"/{key}")}
    assert found == {metric.split for metric in config.val_evaluator}
    assert 0 < scores["train/loss"].current() < 100


def test_offline_and_online_scenes_give_the_same_instances(scenes, monkeypatch):
    monkeypatch.setenv("NOISYSEG_SCENES", str(scenes))
    init_default_scope("mmdet")
    stem = "baseline/baseline_mask-rcnn-r18-small_2k_scenes-coco-n-hard"
    samples = []
    for end in ("", "-online"):
        given = validation_sets(Config.fromfile(CONFIGS / f"{stem}{end}.py"))[1]
        samples.append([sample["data_samples"].instances for sample in DATASETS.build(given)])
    keys = ("ann_id", "bbox", "bbox_label", "mask")
    offline, online = ([[{k: obj[k] for k in keys} for obj in image] for image in images] for images in samples)
    assert offline == online
    assert sum(map(len, offline)) > 20


@pytest.mark.parametrize(
    "leaf",
    [
        "baseline/baseline_mask-rcnn-r18-small_2k_scenes-coco-n-hard-online",
        "baseline/baseline_unet-small_2k_scenes-coco-n-hard-online",
        "adele/adele_unet-small_2k_scenes-coco-n-hard",
        "elr/elr_unet-small-teacher_2k_scenes-coco-n-hard",
    ],
)
def test_a_project_elsewhere_inherits_a_config(leaf, scenes, tmp_path, monkeypatch):
    monkeypatch.setenv("NOISYSEG_SCENES", str(scenes))
    theirs = tmp_path / "theirs.py"
    theirs.write_text(f'_base_ = "noisyseg::{leaf}.py"\ntrain_cfg = dict(max_iters=1)\nparam_scheduler = []\n')
    config = without_workers(load_config(str(theirs), work_dir=str(tmp_path / "work")))
    runner = build_runner(config)
    runner.train()
    assert runner.iter == 1


def test_camvid_trains_on_its_eleven_classes(camvid_dir, monkeypatch):
    monkeypatch.setenv("NOISYSEG_CAMVID", str(camvid_dir))
    config = Config.fromfile(CONFIGS / "baseline/baseline_unet-small_2k_camvid-coco-n-hard-online.py")
    init_default_scope(config.default_scope)
    given, clean = (DATASETS.build(validation_sets(config)[place]) for place in (1, 2))
    noisy, before = (data[0]["data_samples"].gt_sem_seg.data for data in (given, clean))
    assert set(before.unique().tolist()) <= {*range(11), 255}
    assert 0.02 < (noisy != before).float().mean() < 0.8
    assert ((noisy == 255) == (before == 255)).all()


def test_a_coco_folder_is_read_with_its_eighty_classes(coco_tiny_dir, monkeypatch):
    monkeypatch.setenv("NOISYSEG_COCO", str(coco_tiny_dir))
    config = Config.fromfile(CONFIGS / "baseline/baseline_mask-rcnn-r50_270k_coco-clean.py")
    init_default_scope(config.default_scope)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    assert len(dataset.metainfo["classes"]) == 80
    assert max(dataset[0]["inputs"].shape[1:]) <= 1333
