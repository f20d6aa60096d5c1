import cv2
import numpy as np
import pytest
from PIL import Image
from scipy import sparse
from scipy.io import loadmat, savemat

from noisyseg.labels import LabelError
from noisyseg.labels.edge_bits import IGNORED_BITS, packed_edges, unpacked_edges
from noisyseg.labels.edge_files import chosen_edges, read_edge_annotators, write_edge_bits
from noisyseg.labels.edges import class_edges

CLASSES = np.kron([[0, 15], [3, 3]], np.ones((10, 15), int)).astype(np.uint8)


def bits_of(count):
    """Returns random bits of all the classes, some pixels ignored."""
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**count, (7, 9)).astype(np.int32)
    bits[rng.random(bits.shape) < 0.3] = IGNORED_BITS
    return bits


def cell_of(channels):
    cell = np.empty((len(channels), 1), object)
    for k, channel in enumerate(channels):
        cell[k, 0] = sparse.csc_array(channel)
    return cell


def sbd_file(path, layout="GTcls", **fields):
    edges = class_edges(CLASSES, 21, 2)[1:]
    if layout == "GTinst":
        edges = edges[[14, 2]]
        fields = {"Categories": np.array([[15], [3]], np.uint8)} | fields
    else:
        fields = {"CategoriesPresent": np.array([[3], [15]], np.uint8)} | fields
    struct = {"Boundaries": cell_of(edges), "Segmentation": CLASSES} | fields
    savemat(path, {layout: {name: value for name, value in struct.items() if value is not None}})
    return path


def bsds_file(path, annotators):
    cell = np.empty((1, len(annotators)), object)
    for place, edges in enumerate(annotators):
        cell[0, place] = {"Segmentation": np.ones(edges.shape, np.uint16), "Boundaries": edges}
    savemat(path, {"groundTruth": cell})
    return path


@pytest.mark.parametrize(("suffix", "count"), [(".png", 1), (".png", 15), (".bin", 1), (".bin", 19), (".bin", 31)])
def test_what_is_written_comes_back(tmp_path, suffix, count):
    path = tmp_path / "deep" / f"a{suffix}"
    write_edge_bits(path, bits_of(count), count)
    np.testing.assert_array_equal(read_edge_annotators(path, count, (7, 9)), bits_of(count)[None])
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_bytes_are_those_of_the_formats(tmp_path):
    bits = np.array([[1, 2], [5, IGNORED_BITS]], np.int32)
    write_edge_bits(tmp_path / "a.png", bits, 3)
    assert cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED).tolist() == [[1, 2], [5, 32768]]
    write_edge_bits(tmp_path / "a.bin", bits, 3)
    assert (tmp_path / "a.bin").read_bytes().hex(" ", 4) == "01000000 02000000 05000000 00000080"


def test_an_ignored_pixel_of_a_file_is_on_no_edge_whatever_its_other_bits(tmp_path):
    (tmp_path / "a.bin").write_bytes(np.array([7 + 2**31, 7], "<u4").tobytes())
    assert read_edge_annotators(tmp_path / "a.bin", 3, (1, 2)).tolist() == [[[IGNORED_BITS, 7]]]
    Image.fromarray(np.array([[7 + 2**15, 7]], np.uint16)).save(tmp_path / "a.png")
    assert read_edge_annotators(tmp_path / "a.png", 3).tolist() == [[[IGNORED_BITS, 7]]]
    for name in ("b.png", "b.bin"):
        write_edge_bits(tmp_path / name, np.array([[IGNORED_BITS + 7, 7]], np.int32), 3)
        assert read_edge_annotators(tmp_path / name, 3, (1, 2)).tolist() == [[[IGNORED_BITS, 7]]]


@pytest.mark.parametrize("pixels", [[[0, 1], [1, 0]], [[0, 255], [255, 0]]])
def test_an_edge_image_of_one_class(tmp_path, pixels):
    Image.fromarray(np.array(pixels, np.uint8)).save(tmp_path / "a.png")
    assert read_edge_annotators(tmp_path / "a.png", 1).tolist() == [[[0, 1], [1, 0]]]


def test_scenes_keep_their_edges_in_eight_bits(tmp_path):
    """The palette image that the scenes write: its values count, not its colours."""
    image = Image.fromarray(np.array([[0, 33, 2]], np.uint8)).convert("P")
    image.putpalette([7] * 768)
    image.frombytes(bytes([0, 33, 2]))
    image.save(tmp_path / "a.png")
    assert read_edge_annotators(tmp_path / "a.png", 6).tolist() == [[[0, 33, 2]]]


@pytest.mark.parametrize("layout", ["GTcls", "GTinst"])
def test_sbd_has_twenty_classes(tmp_path, layout):
    bits = read_edge_annotators(sbd_file(tmp_path / "17.mat", layout), 20, CLASSES.shape)
    np.testing.assert_array_equal(bits[0], packed_edges(class_edges(CLASSES, 21, 2)[1:]))
    assert bits.shape == (1, 20, 30)


def test_edges_of_objects_of_one_class_come_together(tmp_path):
    path = sbd_file(tmp_path / "17.mat", "GTinst", Categories=np.array([[3], [3]], np.uint8))
    both = class_edges(CLASSES, 21, 2)[[3, 15]].any(axis=0)
    np.testing.assert_array_equal(read_edge_annotators(path, 20)[0], both * 4)


def test_an_image_without_objects_has_empty_edges(tmp_path):
    path = sbd_file(tmp_path / "17.mat", Boundaries=cell_of(np.zeros((20, 20, 30), bool)), Segmentation=CLASSES * 0)
    bits = read_edge_annotators(path, 20)
    assert (bits.shape, bits.any()) == ((1, 20, 30), False)
    write_edge_bits(tmp_path / "a.png", bits[0], 15)
    assert not read_edge_annotators(tmp_path / "a.png", 15).any()


def test_every_annotator_of_bsds500_is_read(shared_dir):
    files = sorted((shared_dir / "data/bsds500/BSDS500/data/groundTruth/val").glob("*.mat"))[:4]
    assert len(files) == 4
    for file in files:
        cell = loadmat(file)["groundTruth"]
        bits = read_edge_annotators(file, 1)
        assert len(bits) == cell.shape[1]
        for place, one in enumerate(bits):
            np.testing.assert_array_equal(one, cell[0, place]["Boundaries"][0, 0])


def test_what_annotators_agree_on():
    votes = np.array([[0, 1, 2, 3, 4]])
    annotators = (votes > np.arange(4)[:, None, None]).astype(np.int32)
    assert chosen_edges(annotators, "first").tolist() == [[0, 1, 1, 1, 1]]
    assert chosen_edges(annotators[::-1], "first").tolist() == [[0, 0, 0, 0, 1]]
    assert chosen_edges(annotators, "any").tolist() == [[0, 1, 1, 1, 1]]
    few = IGNORED_BITS
    assert chosen_edges(annotators, "mean").tolist() == [[0, few, 1, 1, 1]]
    assert chosen_edges(annotators, "mean", share=0.51).tolist() == [[0, few, few, 1, 1]]
    assert chosen_edges(annotators, "mean", share=1).tolist() == [[0, few, few, few, 1]]
    assert chosen_edges(annotators, "mean", share=0.01).tolist() == [[0, 1, 1, 1, 1]]


@pytest.mark.parametrize("choice", ["first", "any", "mean"])
def test_one_annotator_needs_no_choice(choice):
    bits = bits_of(20)
    np.testing.assert_array_equal(chosen_edges(bits[None], choice), bits)
    assert unpacked_edges(bits, 20).any()


def test_what_cannot_be_chosen_raises():
    two = np.zeros((2, 3, 3), np.int32)
    with pytest.raises(ValueError, match="choice: expected one of first, any, mean, got 'all'"):
        chosen_edges(two, "all")
    for share in (0, 1.1, float("nan")):
        with pytest.raises(ValueError, match=rf"share: expected a number in \(0, 1\], got {share}"):
            chosen_edges(two, "mean", share)
    with pytest.raises(LabelError, match="annotators: expected edges of one class, got several"):
        chosen_edges(two + 2, "any")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Boundaries": None}, r"17\.mat: GTcls: expected the field Boundaries, got Segmentation, CategoriesPresent"),
        ({"Segmentation": None}, r"17\.mat: GTcls: expected the field Segmentation"),
        (
            {"Boundaries": cell_of(np.zeros((19, 20, 30)))},
            r"17\.mat: GTcls: expected 20 Boundaries, .*got 19",
        ),
        ({"Boundaries": cell_of(np.zeros((20, 9, 30)))}, r"expected Boundaries\{1\} of \(20, 30\), got \(9, 30\)"),
    ],
)
def test_a_field_of_sbd_that_cannot_be_used(tmp_path, changes, message):
    with pytest.raises(LabelError, match=message):
        read_edge_annotators(sbd_file(tmp_path / "17.mat", **changes), 20)


@pytest.mark.parametrize(
    ("categories", "message"),
    [
        (None, r"17\.mat: GTinst: expected the field Categories, got Boundaries, Segmentation"),
        ([[15]], r"GTinst: expected Categories of 2 objects, 1\.\.20, got \[15\]"),
        ([[15], [21]], r"GTinst: expected Categories of 2 objects, 1\.\.20, got \[15, 21\]"),
        ([[0], [3]], r"GTinst: expected Categories of 2 objects, 1\.\.20, got \[0, 3\]"),
    ],
)
def test_objects_without_a_class(tmp_path, categories, message):
    value = None if categories is None else np.array(categories, np.uint8)
    with pytest.raises(LabelError, match=message):
        read_edge_annotators(sbd_file(tmp_path / "17.mat", "GTinst", Categories=value), 20)


def test_other_classes_or_another_size_than_the_file_has(tmp_path):
    sbd = sbd_file(tmp_path / "17.mat")
    bsds = bsds_file(tmp_path / "18.mat", np.eye(6, dtype=bool)[None].repeat(3, 0))
    assert read_edge_annotators(bsds, 1, (6, 6)).sum() == 18
    with pytest.raises(LabelError, match=r"17\.mat: expected 19 edge classes, got GTcls, which has 20"):
        read_edge_annotators(sbd, 19)
    with pytest.raises(LabelError, match=r"18\.mat: expected 20 edge classes, got groundTruth, which has 1"):
        read_edge_annotators(bsds, 20)
    with pytest.raises(LabelError, match=r"18\.mat: expected edges of the image's size \(6, 7\), got \(6, 6\)"):
        read_edge_annotators(bsds, 1, (6, 7))
    write_edge_bits(tmp_path / "a.png", bits_of(3), 3)
    with pytest.raises(LabelError, match=r"a\.png: expected edges of the image's size \(9, 7\), got \(7, 9\)"):
        read_edge_annotators(tmp_path / "a.png", 3, (9, 7))
    with pytest.raises(LabelError, match=r"a\.png: edge bits: expected the classes 0\.\.1, got the bits \[2\]"):
        read_edge_annotators(tmp_path / "a.png", 2)
    with pytest.raises(LabelError, match=r"a\.png: expected edges of 16 classes, got a PNG of 16 bits, which holds 15"):
        read_edge_annotators(tmp_path / "a.png", 16)
    write_edge_bits(tmp_path / "a.bin", bits_of(3), 3)
    with pytest.raises(LabelError, match=r"a\.bin: expected 256 bytes, 4 a pixel of 8 x 8, got 252"):
        read_edge_annotators(tmp_path / "a.bin", 3, (8, 8))
    with pytest.raises(LabelError, match=r"a\.bin: expected the size of the image"):
        read_edge_annotators(tmp_path / "a.bin", 3)


def test_files_that_hold_no_edges(tmp_path):
    Image.fromarray(np.array([[0, 128, 255]], np.uint8)).save(tmp_path / "share.png")
    with pytest.raises(LabelError, match=r"share\.png: edge bits: expected the classes 0\.\.0, got the bits \[1, 2"):
        read_edge_annotators(tmp_path / "share.png", 1)
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "colour.png")
    with pytest.raises(LabelError, match=r"colour\.png: expected a PNG of one channel .*, got RGB"):
        read_edge_annotators(tmp_path / "colour.png", 1)
    (tmp_path / "broken.mat").write_bytes(b"MATLAB")
    with pytest.raises(LabelError, match=r"broken\.mat: expected a \.mat file, got one that scipy cannot read"):
        read_edge_annotators(tmp_path / "broken.mat", 1)
    for name in ("gone.png", "gone.bin", "gone.mat"):
        with pytest.raises(LabelError, match=rf"{name}: cannot be read: No such file"):
            read_edge_annotators(tmp_path / name, 1, (4, 4))
    with pytest.raises(LabelError, match=r"a\.jpg: expected a name that ends with \.png, \.bin or \.mat"):
        read_edge_annotators(tmp_path / "a.jpg", 1)


def test_what_cannot_be_written_raises_and_leaves_no_file(tmp_path):
    for name, count, message in (
        ("a.mat", 3, r"a\.mat: expected a name that ends with \.png or \.bin"),
        ("a.png", 16, r"a\.png: expected at most 15 classes in a \.png, got 16: write a \.bin"),
        ("a.bin", 2, r"a\.bin: edge bits: expected the classes 0\.\.1, got the bits \[2\]"),
    ):
        with pytest.raises(LabelError, match=message):
            write_edge_bits(tmp_path / name, bits_of(3), count)
    assert list(tmp_path.iterdir()) == []
