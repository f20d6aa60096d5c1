import numpy as np
import pytest
from PIL import Image

from noisyseg.labels import LabelError
from noisyseg.labels.versions import GivenMaps, VersionMaps
from noisyseg.labels.versions.maps import codes_of_files


def test_names_are_paths_without_the_suffix_and_hidden_files_are_none(given_maps):
    folder, maps = given_maps
    (folder / "a" / ".two.png.1.partial.png").write_bytes(b"")
    given = GivenMaps(folder)
    assert given.names == sorted(maps)
    for name, pixels in maps.items():
        np.testing.assert_array_equal(given.classes(name), pixels)
    assert GivenMaps(folder, suffix="wo.png").names == ["a/t"]


def test_a_reduced_zero_is_what_mmseg_makes_of_it():
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    expected = pixels.copy()
    expected[expected == 0] = 255  # the three lines of mmseg.LoadAnnotations
    expected -= 1
    expected[expected == 254] = 255
    np.testing.assert_array_equal(codes_of_files(reduce_zero_label=True).classes(pixels), expected)


def test_a_version_has_its_own_maps_and_else_the_given_ones(given_maps, store, write_version):
    folder, maps = given_maps
    given = GivenMaps(folder)
    first = write_version(store, {"a/one": np.full((12, 17), 1, np.uint8)})
    second = write_version(store, {"a/two": np.full((12, 17), 2, np.uint8)}, parent=first)
    got = {v: [VersionMaps(store, v, given).classes(n, maps[n])[5, 5] for n in given.names] for v in (0, first, second)}
    kept = [maps[name][5, 5] for name in given.names]
    assert got == {0: kept, first: [1, *kept[1:]], second: [1, 2, kept[2]]}
    assert [VersionMaps(store, second, given).source(name) for name in given.names] == [first, second, 0]


class TestErrors:
    def test_a_folder_without_maps(self, tmp_path):
        with pytest.raises(LabelError, match="nowhere: expected a folder of label maps, got none"):
            GivenMaps(tmp_path / "nowhere")
        with pytest.raises(LabelError, match=r"expected label maps \*\.png in it, got none"):
            GivenMaps(tmp_path)

    def test_another_size(self, given_maps, store, write_version):
        given = GivenMaps(given_maps[0])
        version = write_version(store, {"a/one": np.zeros((12, 16), np.uint8)})
        with pytest.raises(LabelError, match=r"v0001/labels/a/one\.png: expected the size .*one\.png, \(12, 17\), got"):
            VersionMaps(store, version, given).classes("a/one", given.classes("a/one"))

    def test_a_truncated_file(self, given_maps, store, write_version):
        given = GivenMaps(given_maps[0])
        version = write_version(store, {"a/one": np.zeros((12, 17), np.uint8)})
        path = store.root / "v0001" / "labels" / "a" / "one.png"
        path.write_bytes(path.read_bytes()[:50])
        with pytest.raises(LabelError, match=r"v0001/labels/a/one\.png: "):
            VersionMaps(store, version, given).classes("a/one", given.classes("a/one"))

    def test_numbers_that_are_no_classes(self, given_maps, store, write_version):
        given = GivenMaps(given_maps[0], classes=["x", "y", "z"])
        with pytest.raises(LabelError, match=r"a/one\.png: expected the numbers 0\.\.2 .* a label_map of the data set"):
            given.classes("a/one")
        version = write_version(store, {"a/one": np.full((12, 17), 3, np.uint8)})
        with pytest.raises(LabelError, match=r"v0001/labels/a/one\.png: expected classes 0\.\.2, or 255, got 3"):
            VersionMaps(store, version, given).classes("a/one", np.zeros((12, 17), np.uint8))

    def test_a_reduced_store_without_the_word(self, given_maps, store, write_version):
        folder, _ = given_maps
        reduced = GivenMaps(folder, reduce_zero_label=True)
        stored = reduced.classes("a/one")
        stored[:2] = 1
        version = write_version(store, {"a/one": stored})
        for settings in ({}, {"reduce_zero_label": False}, {"reduce_zero_label": True}):
            given = GivenMaps(folder, **settings)
            maps = VersionMaps(store, version, given)
            maps.classes("a/one", given.classes("a/one"))
            if settings:
                maps.check()
                continue
            with pytest.raises(LabelError, match="expected to be told that reduce_zero_label was on, or that it was"):
                maps.check()

    def test_masks_instead_of_maps(self, given_maps, store, write_version, encode):
        version = write_version(store, {"a/one": {1: encode(np.ones((4, 4)))}}, kind="instances")
        with pytest.raises(LabelError, match="holds masks of instances; expected a COCO file as the given labels"):
            VersionMaps(store, version, GivenMaps(given_maps[0]))

    def test_16_bits(self, tmp_path):
        Image.fromarray(np.full((3, 3), 700, np.uint16)).save(tmp_path / "a.png")
        with pytest.raises(LabelError, match=r"a\.png: expected the numbers 0\.\.254 .*, got 700"):
            GivenMaps(tmp_path).classes("a")
