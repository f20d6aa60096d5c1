import shutil

import numpy as np
import pytest
from scipy import sparse
from scipy.io import loadmat, savemat, whosmat

from noisyseg.labels import Categories, EdgeMap, LabelError, SemanticMap
from noisyseg.labels.edges import class_edges, label_edges
from noisyseg.labels.mat_files import read_mat, write_mat

REGIONS = np.kron([[1, 2], [3, 3]], np.ones((10, 15), int)).astype(np.uint16)


def bsds_file(path, annotators=3):
    cell = np.empty((1, annotators), object)
    for place in range(annotators):
        regions = np.roll(REGIONS, place, axis=1)
        cell[0, place] = {"Segmentation": regions, "Boundaries": label_edges(regions)}
    savemat(path, {"groundTruth": cell})
    return path


def sbd_file(path, layout="GTcls", radius=0):
    classes = np.kron([[0, 15], [3, 3]], np.ones((10, 15), int)).astype(np.uint8)
    edges = class_edges(classes, 21, radius)[1:]
    names, values = "CategoriesPresent", np.array([[3], [15]], np.uint8)
    if layout == "GTinst":
        classes, edges, names = np.clip(classes, 0, 4), edges[[2, 14]], "Categories"
    cell = np.empty((len(edges), 1), object)
    for k, channel in enumerate(edges):
        cell[k, 0] = sparse.csc_array(channel)
    savemat(path, {layout: {"Boundaries": cell, "Segmentation": classes, names: values}})
    return path


def assert_same_layout(one, other):
    """Assert that two values from `loadmat` have the same names, shapes and types all the way down."""
    assert type(one) is type(other)
    assert (one.dtype, one.shape) == (other.dtype, other.shape)
    if not sparse.issparse(one) and one.dtype == object:
        for a, b in zip(one.ravel(), other.ravel(), strict=True):
            assert_same_layout(a, b)
    elif one.dtype.names:
        for name in one.dtype.names:
            assert_same_layout(one[name], other[name])


@pytest.fixture(params=["bsds", "GTcls", "GTinst"])
def mat_file(request, tmp_path):
    path = tmp_path / "17.mat"
    return bsds_file(path) if request.param == "bsds" else sbd_file(path, request.param)


def test_what_is_read_comes_back_as_it_was(mat_file, tmp_path):
    labels = read_mat(mat_file)
    write_mat(tmp_path / "out" / "17.mat", labels)
    clean, written = loadmat(mat_file), loadmat(tmp_path / "out" / "17.mat")
    assert [name for name in written if not name.startswith("__")] == [labels.layout]
    assert_same_layout(clean[labels.layout], written[labels.layout])
    assert whosmat(mat_file) == whosmat(tmp_path / "out" / "17.mat")
    for one, other in zip(labels.maps, read_mat(tmp_path / "out" / "17.mat").maps, strict=True):
        np.testing.assert_array_equal(one.edges, other.edges)
        np.testing.assert_array_equal(one.regions, other.regions)


def test_equal_labels_give_equal_bytes_whatever_the_time(mat_file, tmp_path):
    labels = read_mat(mat_file)
    write_mat(tmp_path / "one.mat", labels)
    assert (tmp_path / "one.mat").read_bytes()[:116] == labels.document["__header__"].ljust(116)
    write_mat(tmp_path / "two.mat", read_mat(tmp_path / "one.mat"))
    assert (tmp_path / "one.mat").read_bytes() == (tmp_path / "two.mat").read_bytes()


def test_noisy_maps_are_written_in_the_same_layout(mat_file, tmp_path):
    labels = read_mat(mat_file)
    before = loadmat(mat_file)
    shifted = [
        edge_map.replace(edges=np.roll(edge_map.edges, 2, axis=2), regions=np.roll(edge_map.regions, 2, axis=1))
        for edge_map in labels.maps
    ]
    bare = [edge_map.replace(regions=None) for edge_map in shifted]
    for maps, name in ((shifted, "shifted"), (bare, "bare")):
        path = tmp_path / f"{name}.mat"
        write_mat(path, labels.with_maps(maps))
        assert_same_layout(before[labels.layout], loadmat(path)[labels.layout])
        for clean, noisy, got in zip(labels.maps, maps, read_mat(path).maps, strict=True):
            np.testing.assert_array_equal(got.edges, noisy.edges)
            np.testing.assert_array_equal(got.regions, clean.regions if noisy.regions is None else noisy.regions)
    np.testing.assert_array_equal(read_mat(mat_file).maps[0].edges, labels.maps[0].edges)


def test_an_annotator_of_bsds_is_a_map(tmp_path):
    labels = read_mat(bsds_file(tmp_path / "1.mat", annotators=4))
    assert labels.layout == "groundTruth"
    assert [edge_map.edges.shape for edge_map in labels.maps] == [(1, 20, 30)] * 4
    np.testing.assert_array_equal(labels.maps[2].regions, np.roll(REGIONS, 2, axis=1))


def test_the_classes_of_sbd_are_channels_and_objects_are_too(tmp_path):
    (classes,) = read_mat(sbd_file(tmp_path / "a.mat")).maps
    assert classes.edges.shape == (20, 20, 30)
    assert [classes.categories.names[k] for k in np.flatnonzero(classes.edges.any((1, 2)))] == ["bird", "person"]
    (objects,) = read_mat(sbd_file(tmp_path / "b.mat", "GTinst")).maps
    assert objects.categories.names == ("object 1", "object 2")


@pytest.mark.parametrize("radius", [0, 2])
def test_a_noisy_semantic_map_of_sbd_has_its_edges_drawn_anew(tmp_path, radius):
    path = sbd_file(tmp_path / "a.mat", radius=radius)
    labels = read_mat(path, SemanticMap)
    (clean,) = labels.maps
    assert clean.classes.dtype == np.uint8
    assert clean.categories.names[15] == "person"
    noisy = clean.classes.copy()
    noisy[noisy == 3] = 8
    write_mat(path, labels.with_maps([clean.replace(classes=noisy)]))
    document = loadmat(path)["GTcls"]
    assert document["CategoriesPresent"][0, 0].tolist() == [[8], [15]]
    (edges,) = read_mat(path).maps
    np.testing.assert_array_equal(edges.edges, class_edges(noisy, 21, radius)[1:])
    np.testing.assert_array_equal(edges.regions, noisy)


def test_maps_of_another_kind_cannot_take_the_place(tmp_path):
    labels = read_mat(bsds_file(tmp_path / "1.mat", annotators=1))
    for maps in (
        [],
        [EdgeMap(np.zeros((1, 5, 5), bool), Categories.from_names(["boundary"]))],
        [SemanticMap(np.zeros((20, 30), np.uint8), Categories.from_names(["a"]))],
    ):
        with pytest.raises(LabelError, match=r"maps: expected \[\('EdgeMap', \(1, 20, 30\)\)\], got"):
            labels.with_maps(maps)


def cell_of(*values):
    cell = np.empty((len(values), 1), object)
    for k, value in enumerate(values):
        cell[k, 0] = value
    return cell


def struct(**changes):
    fields = {"Segmentation": REGIONS, "Boundaries": label_edges(REGIONS)} | changes
    return cell_of({name: value for name, value in fields.items() if value is not None})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"image": REGIONS}, r"x\.mat: expected one of the variables groundTruth, GTcls, GTinst, got \['image'\]"),
        ({"groundTruth": REGIONS}, r"x\.mat: groundTruth: expected a 1xA cell, got \(20, 30\) of uint16"),
        (
            {"groundTruth": struct(Boundaries=None)},
            r"x\.mat: groundTruth\{1\}: expected the field Boundaries, got Segmentation",
        ),
        ({"groundTruth": struct(Segmentation=None)}, "expected the field Segmentation, got Boundaries"),
        (
            {"groundTruth": struct(Boundaries=np.ones((2, 2), bool))},
            r"groundTruth\{1\}: expected Boundaries of \(20, 30\), got \(2, 2\) of uint8",
        ),
        ({"groundTruth": struct(Segmentation=np.ones((20, 30)) / 3)}, "expected Segmentation to be"),
        ({"GTcls": {"Segmentation": REGIONS, "Boundaries": 1}}, "GTcls: expected the field CategoriesPresent"),
        (
            {"GTcls": {"Segmentation": REGIONS, "Boundaries": 1, "CategoriesPresent": 1}},
            "GTcls: expected Boundaries to be a cell",
        ),
        (
            {"GTcls": {"Segmentation": REGIONS, "Boundaries": cell_of(REGIONS), "CategoriesPresent": 1}},
            "GTcls: expected 20 Boundaries, one a class, got 1",
        ),
        ({"GTinst": {"Segmentation": REGIONS}}, "GTinst: expected the field Boundaries, got Segmentation"),
    ],
)
def test_what_is_missing_is_named_with_the_file(tmp_path, document, message):
    savemat(tmp_path / "x.mat", document)
    with pytest.raises(LabelError, match=message):
        read_mat(tmp_path / "x.mat")


def test_files_that_are_none_are_named(tmp_path):
    (tmp_path / "x.mat").write_bytes(b"no labels at all")
    with pytest.raises(LabelError, match=r"x\.mat: expected a \.mat file"):
        read_mat(tmp_path / "x.mat")
    with pytest.raises(FileNotFoundError):
        read_mat(tmp_path / "y.mat")
    with pytest.raises(LabelError, match=r"b\.mat: groundTruth: expected classes, which only GTcls files have"):
        read_mat(bsds_file(tmp_path / "b.mat"), SemanticMap)


def test_a_real_file_keeps_its_layout(shared_dir, tmp_path):
    source = shared_dir / "data" / "bsds500" / "BSDS500" / "data" / "groundTruth" / "train" / "100075.mat"
    if not source.exists():
        pytest.skip(f"{source} is absent")
    shutil.copy(source, tmp_path / "clean.mat")
    labels = read_mat(tmp_path / "clean.mat")
    write_mat(tmp_path / "noisy.mat", labels)
    clean, written = loadmat(source)["groundTruth"], loadmat(tmp_path / "noisy.mat")["groundTruth"]
    assert_same_layout(clean, written)
    assert len(labels.maps) == 6
    for place in range(6):
        for name in ("Segmentation", "Boundaries"):
            np.testing.assert_array_equal(clean[0, place][name][0, 0], written[0, place][name][0, 0])
    drawn = label_edges(labels.maps[0].regions)
    assert drawn.sum() == pytest.approx(labels.maps[0].edges.sum(), rel=0.02)
