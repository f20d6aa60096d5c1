"""What is exported is the version, whole or not at all, and everything that did not change is as it was."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given as with_examples
from hypothesis import settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco_masks
from pycocotools.coco import COCO

from noisyseg.labels import LabelError
from noisyseg.labels.label_pngs import read_label_png
from noisyseg.labels.store import LabelStore
from noisyseg.labels.versions import GivenMaps, GivenMasks, export_coco, export_maps
from noisyseg.labels.versions.export import MANIFEST


def pixels_of(path):
    return np.asarray(Image.open(path))


class TestMaps:
    @pytest.fixture
    def version(self, given_maps, store, write_version):
        new = given_maps[1]["a/two"].copy()
        new[4:6] = 3
        new[0, 0] = 255
        return write_version(store, {"a/two": new, "a/one": given_maps[1]["a/one"]}), new

    def test_read_back_it_is_the_version(self, given_maps, store, version, tmp_path):
        (folder, maps), (number, new) = given_maps, version
        done = export_maps(store, number, GivenMaps(folder), tmp_path / "out")
        assert {path.name for path in (tmp_path / "out").iterdir()} == {"a", "b", MANIFEST}
        np.testing.assert_array_equal(pixels_of(tmp_path / "out" / "a" / "two.png"), new)
        for name in ("a/one", "b/three"):
            assert (tmp_path / "out" / f"{name}.png").read_bytes() == (folder / f"{name}.png").read_bytes()
        assert done["changed_files"] == 1
        assert done["changed_pixels"] == np.count_nonzero(new != maps["a/two"])
        assert json.loads((tmp_path / "out" / MANIFEST).read_text()) == done

    def test_palette_and_bit_depth_stay(self, given_maps, store, version, tmp_path):
        export_maps(store, version[0], GivenMaps(given_maps[0]), tmp_path / "out")
        before, after = (Image.open(folder / "a" / "two.png") for folder in (given_maps[0], tmp_path / "out"))
        assert after.mode == "P"
        assert after.getpalette() == before.getpalette()

    def test_version_0_is_a_copy(self, given_maps, store, version, tmp_path):
        folder = given_maps[0]
        assert export_maps(store, 0, GivenMaps(folder), tmp_path / "out")["changed_files"] == 0
        for name in given_maps[1]:
            assert (tmp_path / "out" / f"{name}.png").read_bytes() == (folder / f"{name}.png").read_bytes()

    @pytest.mark.parametrize("mode", ["L", "P"])
    def test_four_bits_become_eight_where_a_number_needs_them(self, store, write_version, tmp_path, mode):
        maps = np.tile(np.arange(9, dtype=np.uint8), (4, 2))
        folder = tmp_path / "given"
        folder.mkdir()
        if mode == "P":
            image = Image.fromarray(maps, mode="P")
            image.putpalette([value for k in range(9) for value in (k, k, 9)])
            image.save(folder / "a.png", bits=4)
        else:
            self.write_grey_of_four_bits(folder / "a.png", maps)
        assert read_label_png(folder / "a.png").bits == 4
        few, many = maps.copy(), maps.copy()
        few[0], many[0] = 8, 255
        for number, (new, bits) in enumerate(((few, 4), (many, 8))):
            version = write_version(store, {"a": new})
            out = tmp_path / f"out{number}"
            export_maps(store, version, GivenMaps(folder), out)
            png = read_label_png(out / "a.png")
            assert png.bits == bits
            np.testing.assert_array_equal(png.pixels, new)
            if mode == "P":
                assert Image.open(out / "a.png").convert("RGB").getpixel((3, 1)) == (3, 3, 9)

    @staticmethod
    def write_grey_of_four_bits(path, pixels):
        Image.fromarray(pixels).save(path)
        png = read_label_png(path)
        header = png.before[0][1]
        chunks = ((b"IHDR", header[:8] + b"\4" + header[9:]), *png.before[1:])
        path.write_bytes(type(png)(pixels, 4, chunks, png.after).encoded(pixels))

    def test_a_reduced_zero_is_written_back(self, given_maps, store, write_version, tmp_path):
        folder, maps = given_maps
        stored = GivenMaps(folder, reduce_zero_label=True).classes("b/three")
        expected = maps["b/three"].copy()
        stored[5, :3], expected[5, :3] = (0, 3, 255), (1, 4, 0)
        expected[5, 2] = maps["b/three"][5, 2] if maps["b/three"][5, 2] in (0, 255) else 0
        version = write_version(store, {"b/three": stored})
        export_maps(store, version, GivenMaps(folder, reduce_zero_label=True), tmp_path / "out")
        np.testing.assert_array_equal(pixels_of(tmp_path / "out" / "b" / "three.png"), expected)
        with pytest.raises(LabelError, match="reduce_zero_label"):
            export_maps(store, version, GivenMaps(folder), tmp_path / "wrong")
        assert not (tmp_path / "wrong").exists()

    @pytest.mark.parametrize("place", ["given", "given/a", "given/new", "work", "work/label_store/v0001/new"])
    def test_given_labels_and_store_are_never_written_into(self, given_maps, store, version, tmp_path, place):
        with pytest.raises(FileExistsError, match=r"expected a place apart from the (given labels|store)"):
            export_maps(store, version[0], GivenMaps(given_maps[0]), tmp_path / place, force=True)

    def test_another_folder_stays_and_an_older_export_goes_with_force_only(self, given_maps, store, version, tmp_path):
        given = GivenMaps(given_maps[0])
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "photo.png").write_text("")
        with pytest.raises(FileExistsError, match=r"has no labels\.json, so it is something else"):
            export_maps(store, version[0], given, tmp_path / "mine", force=True)
        export_maps(store, 0, given, tmp_path / "out")
        with pytest.raises(FileExistsError, match="is there already"):
            export_maps(store, version[0], given, tmp_path / "out")
        assert export_maps(store, version[0], given, tmp_path / "out", force=True)["version"] == version[0]

    @pytest.mark.parametrize("kept", [0, 60])
    def test_a_broken_file_of_the_store_leaves_nothing(self, given_maps, store, version, tmp_path, kept):
        path = store.path("a/two", "labels", version[0])
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(LabelError, match=r"v0001/labels/a/two\.png: "):
            export_maps(store, version[0], GivenMaps(given_maps[0]), tmp_path / "deep" / "out")
        assert list((tmp_path / "deep").iterdir()) == []

    def test_kill_9_in_the_middle_leaves_no_folder(self, given_maps, store, version, tmp_path):
        code = (
            "import sys, time\n"
            "from noisyseg.labels.store import LabelStore\n"
            "from noisyseg.labels.versions import export, GivenMaps\n"
            "def wait(maps, name, target):\n"
            "    target.write_bytes(b'half')\n"
            "    print('there', flush=True)\n"
            "    time.sleep(60)\n"
            "export._write_changed = wait\n"
            "export.export_maps(LabelStore(sys.argv[1]), 1, GivenMaps(sys.argv[2]), sys.argv[3])\n"
        )
        out = tmp_path / "deep" / "out"
        command = [sys.executable, "-c", code, str(store.root), str(given_maps[0]), str(out)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "there\n"
            os.kill(process.pid, signal.SIGKILL)
        assert not out.exists()
        export_maps(store, version[0], GivenMaps(given_maps[0]), out)
        assert (out / MANIFEST).is_file()


@with_examples(st.data())
@settings(max_examples=25)
def test_any_version_survives_the_way_through_a_folder(tmp_path_factory, data):
    root = tmp_path_factory.mktemp("any")
    reduced = data.draw(st.booleans())
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    (root / "given").mkdir()
    store, maps = LabelStore(root / "store"), {}
    for name in "abc":
        pixels = rng.integers(0, 6, (5, 4)).astype(np.uint8)
        Image.fromarray(pixels).save(root / "given" / f"{name}.png")
    given = GivenMaps(root / "given", reduce_zero_label=reduced)
    parent = 0
    for _ in range(data.draw(st.integers(1, 3))):
        version = store.begin()
        for name in data.draw(st.sets(st.sampled_from("abc"))):
            maps[name] = rng.choice([*range(5), 255], (5, 4)).astype(np.uint8)
            store.put(name, "labels", maps[name], version)
        store.finish(version, parent=parent)
        parent = version
    export_maps(store, parent, given, root / "out")
    again = GivenMaps(root / "out", reduce_zero_label=reduced)
    for name in "abc":
        np.testing.assert_array_equal(again.classes(name), maps.get(name, given.classes(name)))


class TestCoco:
    @pytest.fixture
    def frames(self):
        new = np.zeros((20, 30), np.uint8)
        new[3:9, 4:20] = 1
        new[15, 29] = 1
        return {10: new, 12: np.zeros((20, 30), np.uint8)}

    @pytest.fixture
    def version(self, store, write_version, encode, frames):
        masks = {id_: encode(frame) for id_, frame in frames.items()}
        return write_version(store, {"x/a": masks}, kind="instances")

    def test_pycocotools_reads_the_version_with_its_own_boxes_and_areas(
        self, given_coco, store, version, frames, tmp_path, capsys
    ):
        done = export_coco(store, version, GivenMasks(given_coco), tmp_path / "out.json")
        assert (done["changed_annotations"], done["empty_masks"]) == (2, 1)
        before, after = COCO(str(given_coco)), COCO(str(tmp_path / "out.json"))
        capsys.readouterr()
        for id_, annotation in after.anns.items():
            expected = frames.get(id_, before.annToMask(before.anns[id_]))
            np.testing.assert_array_equal(after.annToMask(annotation), expected)
            if id_ in frames:
                rle = coco_masks.encode(np.asfortranarray(frames[id_]))
                assert annotation["bbox"] == coco_masks.toBbox(rle).tolist()
                assert annotation["area"] == int(coco_masks.area(rle))

    def test_all_else_is_as_it_was(self, given_coco, store, version, tmp_path):
        export_coco(store, version, GivenMasks(given_coco), tmp_path / "out.json")
        before, after = (json.loads(path.read_text(encoding="utf-8")) for path in (given_coco, tmp_path / "out.json"))
        assert list(after) == list(before)
        for old, new in zip(before["annotations"], after["annotations"], strict=True):
            assert list(new) == list(old)
            for key in {*old} - ({"segmentation", "bbox", "area"} if old["id"] in (10, 12) else set()):
                assert new[key] == old[key]
        before.pop("annotations"), after.pop("annotations")
        assert after == before
        text, copy = (path.read_text(encoding="utf-8") for path in (given_coco, tmp_path / "out.json"))
        assert copy[: text.index('"annotations"')] == text[: text.index('"annotations"')]
        assert copy[copy.index('"categories"') :] == text[text.index('"categories"') :]

    def test_version_0_is_a_copy(self, given_coco, store, version, tmp_path):
        export_coco(store, 0, GivenMasks(given_coco), tmp_path / "out.json")
        assert (tmp_path / "out.json").read_bytes() == given_coco.read_bytes()

    def test_a_mask_of_the_same_pixels_stays_a_polygon(self, given_coco, store, write_version, encode, tmp_path):
        same = np.zeros((20, 30), np.uint8)
        same[2:12, 2:12] = 1
        version = write_version(store, {"x/a": {10: encode(same)}}, kind="instances")
        assert export_coco(store, version, GivenMasks(given_coco), tmp_path / "out.json")["changed_annotations"] == 0
        assert (tmp_path / "out.json").read_bytes() == given_coco.read_bytes()

    def test_what_is_there_stays_without_force(self, given_coco, store, version, tmp_path):
        (tmp_path / "out.json").write_text("mine")
        with pytest.raises(FileExistsError, match="is there already"):
            export_coco(store, version, GivenMasks(given_coco), tmp_path / "out.json")
        assert (tmp_path / "out.json").read_text() == "mine"
        export_coco(store, version, GivenMasks(given_coco), tmp_path / "out.json", force=True)
        with pytest.raises(FileExistsError, match="apart from the given labels"):
            export_coco(store, version, GivenMasks(given_coco), given_coco, force=True)

    def test_an_error_leaves_nothing(self, given_coco, store, version, tmp_path):
        store.path("x/a", "instances", version).write_text("{")
        with pytest.raises(LabelError, match=r"v0001/instances/x/a\.json: expected run lengths by annotation id"):
            export_coco(store, version, GivenMasks(given_coco), tmp_path / "deep" / "out.json")
        assert list((tmp_path / "deep").iterdir()) == []

    def test_boxes_have_no_mask_to_replace(self, given_coco, store, version, tmp_path):
        document = json.loads(given_coco.read_text(encoding="utf-8"))
        del document["annotations"][0]["segmentation"]
        given_coco.write_text(json.dumps(document))
        with pytest.raises(LabelError, match=r"given\.json: annotation 10: segmentation: expected a mask to replace"):
            export_coco(store, version, GivenMasks(given_coco), tmp_path / "out.json")
