import numpy as np
import orjson
import pytest
from PIL import Image
from scipy import ndimage
from skimage.morphology import thin

from noisyseg.integration.benchmark import prepare_data
from noisyseg.integration.benchmark.edge_sources import edge_pictures_of
from noisyseg.labels.edge_bits import IGNORED_BITS, unpacked_edges
from noisyseg.labels.edge_files import read_edge_annotators
from noisyseg.labels.mat_files import read_mat

SETTINGS = dict(kind="edges", source="scenes", train=3, val=2, size=48, seed=0, radius=1, recipe="edge_shift_4")
ENVIRONMENT = {"camvid": "camvid", "bsds500": "bsds500/BSDS500/data"}


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return prepare_data(tmp_path_factory.mktemp("edges"), SETTINGS)


@pytest.fixture
def real_data(shared_dir, monkeypatch):
    """Returns a function that says where a data set is."""

    def place(source):
        folder = shared_dir / "data" / ENVIRONMENT[source]
        if not folder.is_dir():
            pytest.skip(f"{folder} is not here")
        monkeypatch.setenv(f"NOISYSEG_{source.upper()}", str(folder))
        return folder

    return place


def bits(path, count=6):
    return read_edge_annotators(path, count)[0]


def test_all_versions_of_the_labels_are_there(scenes):
    files = {path.relative_to(scenes.folder).as_posix() for path in scenes.folder.rglob("*.png")}
    names = {split: sorted((scenes.folder / "images" / split).glob("*")) for split in ("train", "val")}
    assert [len(paths) for paths in names.values()] == [3, 2]
    folders = ["clean", "clean_thin", "noisy", "noisy_thin"]
    assert files == {f"{folder}/train/{path.name}" for folder in folders for path in names["train"]} | {
        f"clean/val/{path.name}" for path in names["val"]
    } | {f"images/{split}/{path.name}" for split, paths in names.items() for path in paths}
    assert scenes.kind == "edges"
    assert len(scenes.classes) == 6


def test_noisy_edges_are_the_clean_ones_moved(scenes):
    clean, noisy = (
        np.stack([bits(path) for path in sorted((scenes.folder / f"{version}_thin" / "train").iterdir())])
        for version in ("clean", "noisy")
    )
    assert (clean != noisy).any(axis=(1, 2)).all()
    distances = np.concatenate(
        [ndimage.distance_transform_edt(old == 0)[new != 0] for old, new in zip(clean, noisy, strict=True)]
    )
    realised = scenes.document["realised"]
    assert realised["mean_distance"] == pytest.approx(distances.mean(), abs=1e-3)
    assert realised["beyond_2"] == pytest.approx((distances > 2).mean(), abs=1e-4)
    assert realised["ratio"] == pytest.approx(np.count_nonzero(noisy) / np.count_nonzero(clean), abs=1e-4)
    assert 0.5 < realised["mean_distance"] < 5


@pytest.mark.parametrize("version", ["clean", "noisy"])
def test_wide_and_thin_edges_are_those_of_the_same_regions(scenes, version):
    for path in sorted((scenes.folder / version / "train").iterdir()):
        wide = unpacked_edges(bits(path), 6)
        slim = unpacked_edges(bits(scenes.folder / f"{version}_thin" / "train" / path.name), 6)
        assert np.count_nonzero(wide) > 1.5 * np.count_nonzero(slim)
        near = np.stack([ndimage.binary_dilation(one, iterations=1) for one in wide])
        assert np.count_nonzero(slim & ~near) <= 0.05 * np.count_nonzero(slim)


def test_the_same_settings_give_the_same_pixels(scenes, tmp_path):
    assert prepare_data(tmp_path, SETTINGS).fingerprint == scenes.fingerprint
    other = prepare_data(tmp_path, SETTINGS | {"recipe": "edge_shift_2"})
    assert other.fingerprint != scenes.fingerprint
    assert other.document["realised"]["mean_distance"] < scenes.document["realised"]["mean_distance"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "dsb2018"}, "source: expected one of bsds500, camvid, scenes, got 'dsb2018'"),
        ({"kind": "boxes"}, "kind: expected one of maps, edges, got 'boxes'"),
        ({"recipe": "dilate_erode_2_4"}, "noise: expected noise for EdgeMap"),
    ],
)
def test_unusable_settings_are_refused(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        prepare_data(tmp_path, SETTINGS | changes)
    assert not list(tmp_path.iterdir())


def test_the_edges_of_all_classes_can_be_one_class(scenes):
    settings = {name: value for name, value in SETTINGS.items() if name not in ("kind", "recipe")}
    for picture in edge_pictures_of(**settings, agnostic=True):
        assert tuple(picture.annotators[0].categories.names) == ("edge",)
        if picture.split == "train":
            path = scenes.folder / "clean" / "train" / f"{picture.name}.png"
            np.testing.assert_array_equal(picture.wide.edges[0], bits(path) != 0)


def test_camvid_ignores_void(tmp_path, real_data):
    real_data("camvid")
    data = prepare_data(tmp_path, SETTINGS | {"source": "camvid"})
    assert len(data.classes) == 11
    maps = [bits(path, 11) for path in (data.folder / "clean" / "val").iterdir()]
    assert {one.shape for one in maps} == {(48, 64)}
    assert any((one == IGNORED_BITS).any() for one in maps)
    assert all((one > 0).any() for one in maps)


def test_bsds500_has_one_annotator_for_training_and_all_for_validation(tmp_path, real_data):
    root = real_data("bsds500")
    data = prepare_data(tmp_path, SETTINGS | {"source": "bsds500"})
    assert data.classes == ("boundary",)
    for path in (data.folder / "clean" / "val").iterdir():
        annotators = read_edge_annotators(path, 1)
        assert len(annotators) == len(read_mat(root / "groundTruth" / "val" / path.name).maps) > 1
        assert (
            annotators.shape[1:] == np.array(Image.open(data.folder / "images" / "val" / f"{path.stem}.png")).shape[:2]
        )
        for one in annotators:
            np.testing.assert_array_equal(thin(one != 0), one != 0)
    for path in (data.folder / "clean" / "train").iterdir():
        assert bits(path, 1).any()


def test_the_annotator_of_a_training_image_follows_from_seed_and_name(real_data):
    real_data("bsds500")
    settings = dict(train=6, val=1, size=48, radius=1)

    def regions(seed):
        pictures = edge_pictures_of("bsds500", seed=seed, **settings)
        return [picture.annotators[0].regions.tolist() for picture in pictures if picture.split == "train"]

    assert regions(0) == regions(0) != regions(1)


def test_the_document_says_what_was_made(scenes):
    document = orjson.loads((scenes.folder / "prepared.json").read_bytes())
    assert document["settings"] == SETTINGS
    assert document["recipe"]["type"] == "noisyseg.EdgeShift"
