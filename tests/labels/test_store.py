"""Versions are whole or absent; what is given is never touched; readers in other processes see the version in force."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from noisyseg.labels import LabelError
from noisyseg.labels.store import LabelStore


def byte_map(number, size=(4, 6)):
    return np.full(size, number, np.uint8)


@pytest.fixture
def store(tmp_path):
    return LabelStore(tmp_path / "store")


def write(store, parent, **maps):
    """A finished version with one map a key, of the kind that the key's first letter says."""
    version = store.begin()
    for key, number in maps.items():
        store.put(key, {"l": "labels", "w": "weights"}[key[0]], byte_map(number), version)
    store.finish(version, parent=parent)
    return version


def test_an_empty_store_stands_for_the_given_labels(store):
    assert (store.versions(), store.current, store.get("a", "labels")) == ([], 0, None)
    assert store.values("image_weight") == {}
    assert not store.root.exists()


def test_a_map_survives_bit_by_bit(store):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7), np.uint8)
    version = store.begin()
    store.put("town/a.b", "labels", pixels, version)
    store.finish(version, parent=0, info={"round": 1})
    found = LabelStore(store.root).get("town/a.b", "labels", version)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, pixels)
    assert store.info(version) == {"round": 1}


def test_reading_goes_from_parent_to_parent_and_ends_at_what_was_given(store):
    first = write(store, 0, lx=1, ly=1, wx=9)
    second = write(store, first, lx=2)
    beside = write(store, first, ly=3)
    assert store.lineage(beside) == [beside, first]
    got = {v: [store.get(k, k.replace("l", "labels")[:-1], v) for k in ("lx", "ly")] for v in (first, second, beside)}
    assert {v: [m[0, 0] for m in maps] for v, maps in got.items()} == {first: [1, 1], second: [2, 1], beside: [1, 3]}
    assert store.get("wx", "weights", second)[0, 0] == 9
    assert store.get("lz", "labels", second) is None


def test_holders_are_the_versions_whose_files_are_in_force(store):
    first = write(store, 0, lx=1, ly=1, wx=9)
    second = write(store, first, lx=2)
    assert store.holders("labels", first) == {"lx": first, "ly": first}
    assert store.holders("labels", second) == {"lx": second, "ly": first}
    assert store.holders("labels", 0) == {}
    assert (store.parent(second), store.incomplete(), store.begin(), store.incomplete()) == (first, [], 3, [3])


def test_numbers_are_of_the_nearest_version_that_has_them(store):
    first, second = store.begin(), store.begin()
    assert (first, second) == (1, 2)
    store.finish(first, parent=0, values={"image_weight": {"a": 0.5, "b": np.float64(1.5)}})
    store.finish(second, parent=first)
    assert store.values("image_weight", second) == {"a": 0.5, "b": 1.5}
    third = store.begin()
    store.finish(third, parent=second, values={"image_weight": {"a": 2.0}})
    assert store.values("image_weight", third) == {"a": 2.0}
    assert store.values("image_weight", first)["a"] == 0.5


def test_a_version_is_visible_only_when_it_is_finished(store):
    version = store.begin()
    store.put("a", "labels", byte_map(1), version)
    assert store.versions() == []
    with pytest.raises(LabelError, match=r"v0001/manifest\.json: this version is not there, or was never finished"):
        store.get("a", "labels", version)
    with pytest.raises(LabelError, match="never finished"):
        store.set_current(version)
    assert store.get_written("a", "labels", version)[0, 0] == 1
    store.finish(version, parent=0)
    assert store.versions() == [1]
    with pytest.raises(LabelError, match="v0001: this version is complete and does not change any more"):
        store.put("a", "labels", byte_map(2), version)
    with pytest.raises(LabelError, match="v0007: expected a version that was begun"):
        store.put("a", "labels", byte_map(2), 7)


def test_discarding_leaves_complete_versions_and_numbers_are_not_used_twice(store):
    kept = write(store, 0, lx=1)
    store.put("a", "labels", byte_map(1), store.begin())
    assert store.discard_incomplete() == [2]
    assert store.versions() == [kept]
    later = write(store, kept, lx=2)
    store.set_current(kept)
    assert write(store, store.current, lx=3) == later + 1
    assert store.get("lx", "labels", later)[0, 0] == 2


def test_the_version_in_force_is_seen_by_other_readers(store):
    reader = LabelStore(store.root)
    version = write(store, 0, lx=1)
    assert reader.current == 0
    store.set_current(version)
    assert reader.current == version
    assert reader.get("lx", "labels")[0, 0] == 1
    store.set_current(0)
    assert reader.get("lx", "labels") is None


@pytest.mark.parametrize("key", ["", "/a", "../a", "a/../../b", "a//b", ".a", "a/.", "a\\b", "a\0"])
def test_keys_stay_inside_the_store(store, key):
    version = store.begin()
    for act in (lambda: store.put(key, "labels", byte_map(1), version), lambda: store.get(key, "labels")):
        with pytest.raises(LabelError, match="key: expected a path inside the image folder"):
            act()


@pytest.mark.parametrize("value", [np.zeros((2, 2)), np.zeros((1, 2, 2), np.uint8), np.zeros((0, 2), np.uint8)])
def test_what_is_no_map_of_bytes_is_refused(store, value):
    with pytest.raises(LabelError, match=r"v0001/labels/a\.png: expected \(H, W\) uint8, got"):
        store.put("a", "labels", value, store.begin())


def test_an_unknown_kind_is_refused(store):
    with pytest.raises(LabelError, match="kind: expected one of instances, labels, weights, not 'boxes'"):
        store.put("a", "boxes", byte_map(1), store.begin())


class TestDamage:
    @pytest.fixture
    def file(self, store):
        version = store.begin()
        store.put("t/a", "labels", np.random.default_rng(0).integers(0, 9, (40, 40), np.uint8), version)
        store.finish(version, parent=0, values={"image_weight": {"t/a": 1}})
        return store.root / "v0001" / "labels" / "t" / "a.png"

    def test_a_file_that_went_missing_is_named_and_not_replaced_by_an_older_one(self, store, file):
        second = write(store, 1, lx=1)
        file.unlink()
        with pytest.raises(LabelError, match=r"v0001/labels/t/a\.png: cannot be read: No such file"):
            store.get("t/a", "labels", second)

    @pytest.mark.parametrize("kept", [0, 4, 30, 100, -1, -12, -13])
    def test_a_truncated_file_is_named(self, store, file, kept):
        content = file.read_bytes()
        file.write_bytes(content[:kept])
        if kept in (-1, -12):  # only the end mark is cut: all pixels are there
            assert store.get("t/a", "labels", 1).shape == (40, 40)
            return
        with pytest.raises(LabelError, match=r"v0001/labels/t/a\.png: "):
            store.get("t/a", "labels", 1)

    def test_another_kind_of_image_is_refused(self, store, file):
        Image.new("P", (40, 40)).save(file)
        with pytest.raises(LabelError, match=r"a\.png: expected a grey PNG of 8 bits"):
            store.get("t/a", "labels", 1)

    @pytest.mark.parametrize("name", ["current.json", "v0001/manifest.json", "v0001/image_weight.json"])
    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": "1", "format": 7}'])
    def test_a_broken_json_file_is_named(self, store, file, name, content):
        store.set_current(1)
        (store.root / name).write_bytes(content)
        with pytest.raises(LabelError, match=name.replace(".", r"\.") + ": "):
            LabelStore(store.root).values("image_weight")


def test_two_threads_write_different_keys(store):
    version = store.begin()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda k: store.put(f"{k % 5}/{k}", "weights", byte_map(k), version), range(40)))
    store.finish(version, parent=0)
    assert [store.get(f"{k % 5}/{k}", "weights", version)[0, 0] for k in range(40)] == list(range(40))


def _begin(root, numbers):
    numbers.put([LabelStore(root).begin() for _ in range(10)])


def test_two_processes_begin_different_versions(store):
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads can hang
    numbers = context.Queue()
    workers = [context.Process(target=_begin, args=(store.root, numbers)) for _ in range(2)]
    for worker in workers:
        worker.start()
    begun = [number for _ in workers for number in numbers.get(timeout=30)]
    for worker in workers:
        worker.join()
    assert sorted(begun) == list(range(1, 21))


WRITER = """
import sys, numpy as np
from noisyseg.labels.store import LabelStore
store = LabelStore(sys.argv[1])
parent = 0
for number in range(1, 1000):
    version = store.begin()
    for key in range(20):
        store.put(f"t/{key}", "labels", np.full((64, 64), number % 256, np.uint8), version)
    store.finish(version, parent=parent, values={"image_weight": {f"t/{key}": number for key in range(20)}})
    store.set_current(version)
    parent = version
    print(number, flush=True)
"""


@pytest.mark.parametrize("delay", [0.0, 0.013, 0.031])
def test_a_store_is_whole_after_kill_9_at_any_time(store, delay):
    command = [sys.executable, "-c", WRITER, str(store.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
    current = store.current
    assert current >= 1
    assert set(store.versions()) >= {current}
    for version in store.versions():
        assert {store.get(f"t/{key}", "labels", version)[0, 0] for key in range(20)} == {version % 256}
        assert set(store.values("image_weight", version).values()) == {version}
    store.discard_incomplete()
    assert sorted(path.name for path in store.root.glob("v*")) == [f"v{v:04d}" for v in store.versions()]
