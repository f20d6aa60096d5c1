from pathlib import PurePosixPath

import numpy as np
import orjson
import pytest
from PIL import Image
from scipy import sparse
from scipy.io import savemat

from noisyseg.labels import Categories, EdgeMap, LabelError, SemanticMap
from noisyseg.labels.class_names import CAMVID, CITYSCAPES, CITYSCAPES_IDS
from noisyseg.labels.edges import class_edges
from noisyseg.labels.files import sha256
from noisyseg.labels.label_pngs import read_label_png
from noisyseg.labels.mat_files import read_mat
from noisyseg.labels.rng import fork, keyed_rng
from noisyseg.noise import build_noise
from noisyseg.noise.dataset.any_layout import make_noise
from noisyseg.noise.model import NoiseModel
from noisyseg.registry import TASK_UTILS

GROW = {"type": "noisyseg.Recipe", "noises": [{"type": "noisyseg.Scale", "size": 3}]}
CONFUSE = {"type": "noisyseg.Recipe", "noises": [{"type": "noisyseg.ClassConfusion", "rate": 0.7}]}
REGIONS = {"type": "noisyseg.ByRegion", "noise": CONFUSE}
NAMES = ("a", "b", "c")


class Bright(NoiseModel[SemanticMap]):
    takes, needs_image = SemanticMap, True

    def sample(self, labels, rng):
        return {"op": self.op}

    def apply(self, labels, params):
        classes = labels.classes.copy()
        classes[(labels.image[..., 0] > 200) & (classes != 255)] = 2
        return labels.replace(classes=classes)


class Forget(NoiseModel[SemanticMap]):
    takes = SemanticMap

    def __init__(self, everything=False):
        self.everything = everything

    def sample(self, labels, rng):
        return {"op": self.op}

    def apply(self, labels, params):
        forgotten = np.full_like(labels.classes, 255)
        return labels.replace(classes=np.where(labels.classes == 255, 1, 255) if self.everything else forgotten)


class Erase(NoiseModel[EdgeMap]):
    takes = EdgeMap

    def sample(self, labels, rng):
        return {"op": self.op, "rows": int(rng.integers(1, labels.size_hw[0]))}

    def apply(self, labels, params):
        edges = labels.edges.copy()
        edges[:, : params["rows"]] = 0
        return labels.replace(edges=edges, regions=None)


@pytest.fixture(autouse=True)
def models():
    """Registers models of somebody else for the time of a test."""
    for model in (Bright, Forget, Erase):
        TASK_UTILS.register_module(module=model)
    yield
    for model in (Bright, Forget, Erase):
        TASK_UTILS.module_dict.pop(model.__name__)


def pixels(path):
    return read_label_png(path).pixels


def classes_of(path, names=NAMES):
    return SemanticMap(pixels(path), Categories.from_names(names))


def read_manifest(folder):
    return orjson.loads((folder / "noise.manifest.json").read_bytes())


def test_a_map_gets_the_noise_that_its_image_gets_while_training(maps, tmp_path):
    source = maps(["x/one.png", "two.png"])
    make_noise(REGIONS, source, tmp_path / "out", seed=5, classes=NAMES)
    model = build_noise(REGIONS)
    for name, key in (("x/one.png", "one"), ("two.png", "two")):
        expected = model(classes_of(source / name), keyed_rng(5, key)).classes
        assert (pixels(tmp_path / "out" / name) == expected).all()
        assert (pixels(tmp_path / "out" / name) != pixels(source / name)).any()


def test_inject_noise_draws_the_same(maps, tmp_path):
    InjectNoise = pytest.importorskip("noisyseg.integration.inject_noise").InjectNoise
    name = "aachen/aachen_000000_000019"
    source = maps([f"train/{name}_gtFine_labelTrainIds.png"], values=(0, 1, 18, 255), root="city")
    make_noise(REGIONS, source, tmp_path / "out", seed=5)
    sample = {
        "img_path": f"leftImg8bit/train/{name}_leftImg8bit.png",
        "gt_seg_map": pixels(source / f"train/{name}_gtFine_labelTrainIds.png").copy(),
    }
    InjectNoise(REGIONS, 5, CITYSCAPES)(sample)
    assert (sample["gt_seg_map"] == pixels(tmp_path / "out" / f"train/{name}_gtFine_labelTrainIds.png")).all()


def test_both_kinds_of_cityscapes_maps_show_the_same_noise(maps, tmp_path):
    ids = {0: 7, 5: 17, 18: 33, 255: 4}
    source = maps(["a_gtFine_labelTrainIds.png"], values=tuple(ids), root="city")
    train_ids = pixels(source / "a_gtFine_labelTrainIds.png")
    label_ids = np.select([train_ids == k for k in ids], list(ids.values())).astype(np.uint8)
    Image.fromarray(label_ids).save(source / "a_gtFine_labelIds.png")
    manifest = make_noise(REGIONS, source, tmp_path / "out", seed=5)
    noisy = pixels(tmp_path / "out" / "a_gtFine_labelTrainIds.png")
    noisy_ids = pixels(tmp_path / "out" / "a_gtFine_labelIds.png")
    table = np.full(256, 4)  # what is ignored keeps its label id
    table[:19] = list(CITYSCAPES_IDS.values())
    assert (noisy != train_ids).any()
    assert (noisy_ids == table[noisy]).all()
    assert manifest["images"] == 2
    assert (
        manifest["warnings"]
        == ["the recipe is for instances, so it is applied to the connected regions of the maps (noisyseg.ByRegion)"]
        * 0
    )


def test_zero_of_ade20k_is_left_alone(maps, tmp_path):
    source = maps(["annotations/training/ADE_train_1.png"], values=(0, 1, 2, 150), root="ade")
    manifest = make_noise(REGIONS, source, tmp_path / "out", seed=1)
    name = "annotations/training/ADE_train_1.png"
    clean, noisy = pixels(source / name), pixels(tmp_path / "out" / name)
    assert ((clean == 0) == (noisy == 0)).all()
    assert (clean != noisy).any()
    expected = build_noise(REGIONS)(
        SemanticMap((clean - 1).astype(np.uint8), Categories.from_names(map(str, range(150)))),
        keyed_rng(1, "ADE_train_1"),
    )
    assert (noisy == (expected.classes + 1).astype(np.uint8)).all()
    assert manifest["counts"]["ignored"] == (clean == 0).sum()


def test_instance_noise_on_voc_leaves_the_ground_alone(maps, tmp_path):
    source = maps(["SegmentationClass/2007_1.png"], values=(0, 1, 15, 255), root="VOC2012")
    path = source / "SegmentationClass" / "2007_1.png"
    with Image.open(path) as image:
        palette = image.convert("P")
        palette.putdata(image.get_flattened_data() if hasattr(image, "get_flattened_data") else image.getdata())
    palette.putpalette([channel for k in range(256) for channel in (k, 3, 255 - k)])
    palette.save(path)
    manifest = make_noise(CONFUSE, source, tmp_path / "out", seed=1)
    assert manifest["recipe"] == {"type": "noisyseg.ByRegion", "noise": CONFUSE, "background": [0]}
    assert "noisyseg.ByRegion), except classes 0, which are ground" in manifest["warnings"][0]
    noisy = tmp_path / "out" / "SegmentationClass" / "2007_1.png"
    ground = np.isin(pixels(path), (0, 255))
    assert (pixels(noisy)[ground] == pixels(path)[ground]).all()
    with Image.open(noisy) as image, Image.open(path) as clean:
        assert image.mode == "P"
        assert image.getpalette() == clean.getpalette()


def test_camvid_as_it_is(camvid_dir, tmp_path):
    source = tmp_path / "camvid"
    for folder in ("trainannot", "valannot"):
        (source / folder).mkdir(parents=True)
        for path in sorted((camvid_dir / folder).glob("*.png"))[:3]:
            (source / folder / path.name).symlink_to(path)
    manifest = make_noise(REGIONS, source, tmp_path / "out", seed=0, workers=2)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["noise.manifest.json", "trainannot"]
    assert manifest["left_out"] == {"val": 3}
    clean = np.array([pixels(source / name) for name in manifest["files"]])
    noisy = np.array([pixels(tmp_path / "out" / name) for name in manifest["files"]])
    assert ((clean == 11) == (noisy == 11)).all()
    assert manifest["counts"]["pixels"] == (clean != 11).sum()
    assert manifest["counts"]["changed"] == (clean != noisy).sum() > 0
    for k, name in enumerate(CAMVID):
        row = [(clean == k).sum(), ((clean == k) & (noisy != k)).sum(), (noisy == k).sum()]
        assert manifest["by_class"].get(name, {"clean": 0, "changed": 0, "noisy": 0}) == dict(
            zip(("clean", "changed", "noisy"), row, strict=True)
        )


def test_sixteen_bits_stay_sixteen(maps, tmp_path):
    source = maps(["a.png"], values=(0, 1, 2, 65535), dtype=np.uint16)
    make_noise(REGIONS, source, tmp_path / "out", seed=0, classes=NAMES, ignore=65535)
    noisy = read_label_png(tmp_path / "out" / "a.png")
    assert (noisy.bits, noisy.pixels.dtype) == (16, np.uint16)
    assert ((noisy.pixels == 65535) == (pixels(source / "a.png") == 65535)).all()


def test_pixels_that_noise_ignores_get_the_number_for_it(maps, tmp_path):
    source = maps(["a.png"], values=(0, 1, 2, 9))
    manifest = make_noise({"type": "Forget"}, source, tmp_path / "out", seed=0, classes=NAMES, ignore=9)
    assert (pixels(tmp_path / "out" / "a.png") == 9).all()
    assert manifest["counts"]["made_ignored"] == manifest["counts"]["pixels"]
    assert manifest["warnings"] == []
    manifest = make_noise(
        {"type": "Forget", "everything": True}, source, tmp_path / "two", seed=0, classes=NAMES, ignore=9
    )
    assert manifest["counts"]["ignored_changed"] == (pixels(source / "a.png") == 9).sum()
    assert manifest["warnings"] == ["the noise gave classes to pixels that are ignored in the clean labels"]


def test_the_manifest_names_every_file(maps, tmp_path):
    source = maps(["x/one.png", "two.png"])
    manifest = make_noise(REGIONS, source, tmp_path / "out", seed=5, classes=NAMES)
    assert read_manifest(tmp_path / "out") == orjson.loads(orjson.dumps(manifest))
    assert list(manifest["files"]) == ["two.png", "x/one.png"]
    for name, entry in manifest["files"].items():
        assert entry["clean"] == sha256(source / name)
        assert entry["noisy"] == sha256(tmp_path / "out" / name)
        assert entry["changed"] == (pixels(source / name) != pixels(tmp_path / "out" / name)).sum()
    assert (manifest["layout"], manifest["seed"], manifest["recipe"]) == ("png", 5, REGIONS)
    assert list(manifest["classes"]) == list(NAMES)
    assert manifest["images"] == 2
    assert sum(entry["changed"] for entry in manifest["files"].values()) == manifest["counts"]["changed"]


def test_images_of_one_name_share_draws_and_it_is_said(maps, tmp_path):
    source = maps(["x/one.png", "y/one.png"])
    manifest = make_noise(REGIONS, source, tmp_path / "out", seed=5, classes=NAMES)
    assert manifest["warnings"] == [
        "1 images have the name of another one in another folder, and with it the same draws"
    ]


@pytest.mark.parametrize("name", ["x/one.png", "one.jpg"])
def test_noise_that_looks_at_images_gets_them(maps, tmp_path, name):
    source = maps(["x/one.png"])
    picture = np.zeros((24, 32, 3), np.uint8)
    picture[:5] = (250, 0, 0)
    (tmp_path / "images" / name).parent.mkdir(parents=True)
    Image.fromarray(picture).save(tmp_path / "images" / name, quality=100)
    make_noise({"type": "Bright"}, source, tmp_path / "out", seed=0, classes=NAMES, images=tmp_path / "images")
    clean, noisy = pixels(source / "x" / "one.png"), pixels(tmp_path / "out" / "x" / "one.png")
    assert (noisy[:4][clean[:4] != 255] == 2).all()
    assert (noisy[8:] == clean[8:]).all()


def test_images_that_are_missing_or_of_another_size(maps, tmp_path):
    source = maps(["x/one.png"])
    options = {"seed": 0, "classes": NAMES}
    with pytest.raises(ValueError, match="images: expected the folder of the images, because Bright looks at them"):
        make_noise({"type": "Bright"}, source, tmp_path / "out", **options)
    with pytest.raises(NotADirectoryError, match="none: expected the folder of images"):
        make_noise({"type": "Bright"}, source, tmp_path / "out", images=tmp_path / "none", **options)
    (tmp_path / "images").mkdir()
    with pytest.raises(LabelError, match=r"x/one\.png: expected its image at .*images/x/one\.jpg, but there is no"):
        make_noise({"type": "Bright"}, source, tmp_path / "out", images=tmp_path / "images", **options)
    Image.new("RGB", (5, 4)).save(tmp_path / "images" / "one.png")
    with pytest.raises(LabelError, match=r"expected 24 x 32 pixels \(rows x columns\) .* got 4 x 5"):
        make_noise({"type": "Bright"}, source, tmp_path / "out", images=tmp_path / "images", **options)
    (tmp_path / "images" / "one.png").write_bytes(b"no picture")
    with pytest.raises(LabelError, match=r"maps/x/one\.png: the image .*one\.png cannot be read"):
        make_noise({"type": "Bright"}, source, tmp_path / "out", images=tmp_path / "images", **options)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_broken_map_is_named(maps, tmp_path, workers):
    source = maps(["a.png", "b.png"])
    (source / "b.png").write_bytes((source / "b.png").read_bytes()[:60])
    with pytest.raises(LabelError, match=r"maps/b\.png: "):
        make_noise(REGIONS, source, tmp_path / "out", seed=0, classes=NAMES, workers=workers)
    assert not (tmp_path / "out" / "b.png").exists()
    assert not (tmp_path / "out" / "noise.manifest.json").exists()


def test_a_class_outside_the_layout_is_named(maps, tmp_path):
    source = maps(["a.png"], values=(0, 1, 2, 7))
    with pytest.raises(LabelError, match=r"maps/a\.png: expected the numbers 0\.\.2 .* 255 for ignored pixels, got 7$"):
        make_noise(REGIONS, source, tmp_path / "out", seed=0, classes=NAMES)


def test_noise_for_other_labels_is_refused(maps, tmp_path, coco_document):
    source = maps(["a.png"])

    expected = "expected noise for SemanticMap or Instances, which .*maps holds, but Erase is for EdgeMap"
    with pytest.raises(ValueError, match=expected):
        make_noise({"type": "Erase"}, source, tmp_path / "out", seed=0, classes=NAMES)
    path = tmp_path / "train.json"
    path.write_bytes(orjson.dumps(coco_document()))
    expected = "expected noise for Instances, which COCO files hold, but ByRegion is for SemanticMap"
    with pytest.raises(ValueError, match=expected):
        make_noise(REGIONS, path, tmp_path / "out.json", seed=0)


def test_validation_is_refused_unless_named(maps, tmp_path):
    source = maps(["val/a.png"])
    with pytest.raises(ValueError, match=r"maps: looks like validation or test labels \(val\)"):
        make_noise(REGIONS, source, tmp_path / "out", seed=0, classes=NAMES)
    make_noise(REGIONS, source, tmp_path / "out", seed=0, classes=NAMES, split="val")
    assert (tmp_path / "out" / "val" / "a.png").is_file()


@pytest.fixture
def bsds(shared_dir, tmp_path):
    folder = shared_dir / "data" / "bsds500" / "BSDS500" / "data" / "groundTruth" / "train"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent")
    source = tmp_path / "groundTruth" / "train"
    source.mkdir(parents=True)
    for path in sorted(folder.glob("*.mat"))[:2]:
        (source / path.name).symlink_to(path)
    return source.parent


def test_edges_of_several_annotators(bsds, tmp_path):
    manifest = make_noise({"type": "Erase"}, bsds, tmp_path / "out", seed=2)
    counts = np.zeros(3, int)
    for name in manifest["files"]:
        clean, noisy = read_mat(bsds / name), read_mat(tmp_path / "out" / name)
        assert clean.layout == noisy.layout == "groundTruth"
        rng = keyed_rng(2, PurePosixPath(name).stem)
        # Each annotator errs in another way.
        rows = [Erase().sample(before, fork(rng, place))["rows"] for place, before in enumerate(clean.maps)]
        assert len(set(rows)) > 1
        for row, before, after in zip(rows, clean.maps, noisy.maps, strict=True):
            assert not after.edges[:, :row].any()
            assert (after.edges[:, row:] == before.edges[:, row:]).all()
            assert (before.regions == after.regions).all()
            counts += [before.edges.sum(), (before.edges != after.edges).sum(), after.edges.sum()]
    clean, changed, noisy = counts.tolist()
    assert min(clean, changed, noisy) > 0
    assert manifest["by_class"] == {"boundary": {"clean": clean, "changed": changed, "noisy": noisy}}
    assert manifest["counts"] == {"pixels": clean, "changed": changed}


def test_matlab_files_come_out_the_same_at_any_time(bsds, tmp_path, contents, monkeypatch):
    make_noise({"type": "Erase"}, bsds, tmp_path / "one", seed=2)
    monkeypatch.setattr("time.asctime", lambda *_: "another time")
    make_noise({"type": "Erase"}, bsds, tmp_path / "two", seed=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_regions_without_classes_take_no_map_noise(bsds, tmp_path):
    with pytest.raises(LabelError, match=r"\.mat: .*expected classes, which only GTcls files have"):
        make_noise(REGIONS, bsds, tmp_path / "out", seed=2)


def test_sbd_classes_take_map_noise_and_edge_noise(tmp_path):
    regions = np.zeros((20, 24), np.uint8)
    regions[2:9, 3:20], regions[12:18, 5:11] = 15, 7
    boundaries = np.empty((20, 1), object)
    for k in range(20):
        boundaries[k, 0] = sparse.csc_matrix(class_edges(regions, 21)[k + 1])
    document = {"Segmentation": regions, "Boundaries": boundaries, "CategoriesPresent": np.array([[7], [15]], np.uint8)}
    (tmp_path / "sbd" / "cls").mkdir(parents=True)
    for name in ("2008_1", "2008_2"):
        savemat(tmp_path / "sbd" / "cls" / f"{name}.mat", {"GTcls": document})
    (tmp_path / "sbd" / "train.txt").write_text("2008_1\n")
    (tmp_path / "sbd" / "val.txt").write_text("2008_2\n")
    manifest = make_noise(GROW, tmp_path / "sbd" / "cls", tmp_path / "out", seed=0)
    assert list(manifest["files"]) == ["2008_1.mat"]
    folders = (tmp_path / "sbd" / "cls", tmp_path / "out")
    clean, noisy = (read_mat(folder / "2008_1.mat", SemanticMap).maps[0] for folder in folders)
    model = build_noise(manifest["recipe"])
    assert (noisy.classes == model(clean, keyed_rng(0, "2008_1")).classes).all()
    assert (noisy.classes != clean.classes).any()
    assert manifest["by_class"]["person"]["clean"] == 7 * 17
    assert manifest["by_class"]["person"]["noisy"] == (noisy.classes == 15).sum()
    manifest = make_noise({"type": "Erase"}, tmp_path / "sbd" / "cls", tmp_path / "edges", seed=0)
    assert sorted(manifest["by_class"]) == ["car", "person"]
