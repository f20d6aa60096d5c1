"""Data sets of edges are found in the layouts in which they are published."""

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from scipy import sparse
from scipy.io import loadmat, savemat
from skimage.morphology import thin

from noisyseg.labels import LabelError
from noisyseg.labels.edge_bits import IGNORED_BITS
from noisyseg.labels.edge_files import write_edge_bits
from noisyseg.labels.edges import class_edges
from noisyseg.ops import expand_bits
from noisyseg.registry import DATASETS
from noisyseg.scenes import write_scenes

LOAD = [dict(type="mmengine.LoadImageFromFile")]
BSDS = "data/bsds500/BSDS500/data"


def build(kind, root, *steps, **settings):
    init_default_scope("mmseg")
    return DATASETS.build({"type": f"noisyseg.{kind}", "data_root": str(root), "pipeline": [*LOAD, *steps]} | settings)


def edges(count, **settings):
    return dict(type="noisyseg.LoadEdgeLabels", num_classes=count, **settings)


def picture(path, size_hw=(20, 30)):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros((*size_hw, 3), np.uint8))


def test_bsds500_has_all_its_annotators(shared_dir):
    prefix = {"img_path": "images/val", "edge_path": "groundTruth/val"}
    data = build("BSDS500Edges", shared_dir / BSDS, edges(1, keep_annotators=True), data_prefix=prefix, test_mode=True)
    assert (len(data), data.metainfo["classes"]) == (100, ("boundary",))
    for sample in (data[0], data[57]):
        cell = loadmat(sample["edge_path"])["groundTruth"]
        annotators = sample["gt_edge_annotators"]
        assert annotators.shape == (*sample["img"].shape[:2], cell.shape[1])
        np.testing.assert_array_equal(annotators[..., -1], cell[0, -1]["Boundaries"][0, 0])
        assert sample["img_path"].rsplit("/")[-1][:-4] == sample["edge_path"].rsplit("/")[-1][:-4]


def test_bsds500_has_its_training_images_by_default(shared_dir):
    data = build("BSDS500Edges", shared_dir / BSDS, edges(1))
    assert len(data) == 200
    assert set(np.unique(data[3]["gt_edge_bits"])) == {0, 1}


@pytest.fixture
def sbd(tmp_path):
    """Two images of a person and a bird beside each other; the list names one of them."""
    classes = np.kron([[0, 15], [3, 3]], np.ones((10, 15), int)).astype(np.uint8)
    channels = class_edges(classes, 21, 2)[1:]
    for layout, folder, kept in (("GTcls", "cls", range(20)), ("GTinst", "inst", (14, 2))):
        cell = np.empty((len(kept), 1), object)
        for place, k in enumerate(kept):
            cell[place, 0] = sparse.csc_array(channels[k])
        names = {"CategoriesPresent" if layout == "GTcls" else "Categories": np.array([[15], [3]], np.uint8)}
        for name in ("2008_000001", "2008_000002"):
            picture(tmp_path / "img" / f"{name}.jpg")
            (tmp_path / folder).mkdir(exist_ok=True)
            struct = {"Boundaries": cell, "Segmentation": classes} | names
            savemat(tmp_path / folder / f"{name}.mat", {layout: struct})
    (tmp_path / "train.txt").write_text("2008_000002\n")
    (tmp_path / "val.txt").write_text("2008_000001\n2008_000002\n")
    return tmp_path


def test_sbd_in_its_two_kinds_of_files(sbd):
    data = build("SBDEdges", sbd, edges(20))
    assert (len(data), len(data.metainfo["classes"]), data.metainfo["classes"][14]) == (1, 20, "person")
    sample = data[0]
    assert sample["edge_path"] == str(sbd / "cls/2008_000002.mat")
    assert set(np.unique(sample["gt_edge_bits"])) == {0, 4, 2**14, 2**14 + 4}
    prefix = {"img_path": "img", "edge_path": "inst"}
    objects = build("SBDEdges", sbd, edges(20), data_prefix=prefix, ann_file="val.txt")
    assert len(objects) == 2
    np.testing.assert_array_equal(objects[1]["gt_edge_bits"], sample["gt_edge_bits"])


def test_sbd_as_it_is_prepared_for_casenet(sbd):
    bits = np.full((20, 30), 5, np.int32)
    bits[0] = IGNORED_BITS
    write_edge_bits(sbd / "bin/2008_000002.bin", bits, 20)
    prefix = {"img_path": "img", "edge_path": "bin"}
    data = build("SBDEdges", sbd, edges(20), data_prefix=prefix, edge_suffix=".bin")
    np.testing.assert_array_equal(data[0]["gt_edge_bits"], bits)


@pytest.fixture
def cityscapes(tmp_path):
    """Road, out of roi, and two cars between a parking area and the sky."""
    ids = np.repeat([[7, 7, 7, 7, 3, 3, 9, 9, 9, 26, 26, 26, 26, 26, 26, 23, 23, 23]], 9, axis=0)
    numbers = np.where(ids == 26, np.where(np.arange(18) < 12, 26000, 26001), ids)
    picture(tmp_path / "leftImg8bit/val/ulm/ulm_0_leftImg8bit.png", ids.shape)
    stem = tmp_path / "gtFine/val/ulm/ulm_0_gtFine_"
    stem.parent.mkdir(parents=True)
    cv2.imwrite(f"{stem}labelIds.png", ids.astype(np.uint8))
    cv2.imwrite(f"{stem}instanceIds.png", numbers.astype(np.uint16))
    return tmp_path


def test_cityscapes_draws_edges_from_label_ids(cityscapes):
    prefix = {"img_path": "leftImg8bit/val", "seg_map_path": "gtFine/val"}
    steps = [
        dict(type="mmseg.LoadAnnotations"),
        dict(type="noisyseg.LoadInstanceMap"),
        dict(type="noisyseg.EdgesFromLabels", num_classes=19, radius=1, background=True, instances="gt_instance_map"),
    ]
    data = build("CityscapesEdges", cityscapes, *steps, data_prefix=prefix)
    assert (len(data), len(data.metainfo["classes"])) == (1, 19)
    sample, car, sky = data[0], 1 << 13, 1 << 10
    assert sample["gt_seg_map"][0].tolist() == [1] * 4 + [255] * 2 + [0] * 3 + [14] * 6 + [11] * 3
    row = [0] * 4 + [IGNORED_BITS] * 2 + [0, 0, car, car, 0, car, car, 0, car | sky, car | sky, 0, 0]
    assert sample["gt_edge_bits"][4].tolist() == row


def test_files_named_by_their_images(tmp_path):
    for name in ("a/1_image.png", "b/2_image.png"):
        picture(tmp_path / "images" / name, (3, 4))
        write_edge_bits(tmp_path / "edges" / name.replace("image", "edges"), np.full((3, 4), 6, np.int32), 3)
    settings = {
        "img_suffix": "_image.png",
        "edge_suffix": "_edges.png",
        "data_prefix": {"img_path": "images", "edge_path": "edges"},
        "metainfo": {"classes": ("x", "y", "z")},
    }
    data = build("EdgeDataset", tmp_path, edges(3), **settings)
    assert [data[i]["edge_path"][len(str(tmp_path)) :] for i in range(2)] == [
        "/edges/a/1_edges.png",
        "/edges/b/2_edges.png",
    ]
    assert (data[1]["gt_edge_bits"] == 6).all()
    (tmp_path / "edges/b/2_edges.png").unlink()
    with pytest.raises(LabelError, match=r"b/2_edges\.png: expected the edges of .*b/2_image\.png, found no such file"):
        build("EdgeDataset", tmp_path, **settings)


def test_what_cannot_be_used_raises(tmp_path, sbd):
    with pytest.raises(ValueError, match=r"data_prefix: expected img_path and edge_path, got \{'img_path': 'img'\}"):
        build("EdgeDataset", tmp_path, data_prefix={"img_path": "img"})
    with pytest.raises(ValueError, match="metainfo: expected all classes, aeroplane, bicycle"):
        build("SBDEdges", sbd, metainfo={"classes": ("bird", "person")})
    (tmp_path / "empty").mkdir()
    prefix = {"img_path": "empty", "edge_path": "empty", "seg_map_path": "empty"}
    for kind in ("BSDS500Edges", "CityscapesEdges"):
        with pytest.raises(FileNotFoundError, match=r"no image \*.* in .*empty"):
            build(kind, tmp_path, data_prefix=prefix)


@pytest.mark.parametrize(
    ("data", "root", "count"), [("bsds500", BSDS, 1), ("camvid", "data/camvid", 11), ("scenes", None, 6)]
)
def test_base_configs_give_the_edges_of_their_classes(data, root, count, shared_dir, tmp_path, repository, monkeypatch):
    folder = tmp_path / "scenes" if root is None else shared_dir / root
    if root is None:
        write_scenes(folder, train=2, val=1)
    monkeypatch.setenv(f"NOISYSEG_{data.upper()}", str(folder))
    config = Config.fromfile(repository / f"configs/_base_/datasets/{data}_edges.py")
    init_default_scope("mmseg")
    assert len(config.classes) == count
    for part in (config.train_dataloader, config.val_dataloader, config.test_dataloader):
        dataset = DATASETS.build(part.dataset)
        assert dataset.metainfo["classes"] == tuple(config.classes)
        sample = dataset[0]["data_samples"]
        bits = sample.gt_edge_bits.data
        edges = expand_bits(bits, count)
        assert 0.002 < edges.any(dim=-3).float().mean() < 0.4
        assert not (bits[bits >= 0] >> count).any()
        if part is config.train_dataloader:
            assert sample.gt_image_edges.data.shape == bits.shape
        else:  # thin
            assert sample.split == "clean"
            assert all((thin(one) == one).all() for one in edges.flatten(0, -3).numpy())


@pytest.mark.parametrize("data", ["sbd", "cityscapes"])
def test_base_configs_read_the_published_layouts(data, sbd, cityscapes, repository, monkeypatch):
    monkeypatch.setenv(f"NOISYSEG_{data.upper()}", str({"sbd": sbd, "cityscapes": cityscapes}[data]))
    config = Config.fromfile(repository / f"configs/_base_/datasets/{data}_edges.py")
    init_default_scope("mmseg")
    dataset = DATASETS.build(config.test_dataloader.dataset)
    assert dataset.metainfo["classes"] == tuple(config.classes)
    assert (dataset[0]["data_samples"].gt_edge_bits.data > 0).any()
