import numpy as np
import pytest
from hypothesis import given as with_examples
from hypothesis import settings
from hypothesis import strategies as st
from PIL import Image
from skimage.metrics import contingency_table

from noisyseg.evaluation.label_diff import compare_maps
from noisyseg.labels import LabelError
from noisyseg.labels.store import LabelStore
from noisyseg.labels.versions import GivenMaps, VersionMaps, export_maps


def write_maps(folder, maps):
    folder.mkdir()
    for name, pixels in maps.items():
        Image.fromarray(np.asarray(pixels, np.uint8)).save(folder / f"{name}.png")


def compare(root, store, old, new, *, clean=False, **settings):
    given = GivenMaps(root / "given", **settings)
    versions = [VersionMaps(store, version, given) for version in (old, new)]
    return compare_maps(*versions, GivenMaps(root / "clean", **settings) if clean else None)


@pytest.fixture
def by_hand(tmp_path):
    """Two images of four pixels; version 1 changes three pixels of one, version 2 one of them back and another."""
    write_maps(tmp_path / "given", {"a": [[0, 0], [1, 2]], "b": [[1, 1], [255, 0]]})
    write_maps(tmp_path / "clean", {"a": [[1, 0], [1, 1]], "b": [[1, 2], [1, 255]]})
    store = LabelStore(tmp_path / "store")
    for parent, pixels in ((0, [[1, 1], [1, 0]]), (1, [[1, 0], [2, 0]])):
        version = store.begin()
        store.put("a", "labels", np.array(pixels, np.uint8), version)
        store.finish(version, parent=parent)
    return tmp_path, store


def test_the_numbers_of_a_case_made_by_hand(by_hand):
    found = compare(*by_hand, 0, 1, clean=True, classes=["x", "y", "z"])
    assert found["totals"] == {
        "images": 2,
        "images_changed": 1,
        "pixels": 8,
        "changed": 3,
        "share": 3 / 8,
        "right": 1,  # 0 -> 1, clean 1
        "wrong": 1,  # 0 -> 1, clean 0
        "neither": 1,  # 2 -> 0, clean 1
        "unknown": 0,
        "agreement_before": 3 / 6,  # ignored in one of the two: two pixels of b
        "agreement_after": 3 / 6,
    }
    assert found["images"] == [
        {"image": "a", "pixels": 4, "changed": 3, "share": 0.75, "right": 1, "wrong": 1, "neither": 1, "unknown": 0}
    ]
    assert found["moves"] == [
        {"from": "x", "to": "y", "pixels": 2, "right": 1, "wrong": 1, "neither": 0, "unknown": 0},
        {"from": "z", "to": "x", "pixels": 1, "right": 0, "wrong": 0, "neither": 1, "unknown": 0},
    ]
    rows = {row.pop("class"): row for row in found["by_class"]}
    assert list(rows) == ["x", "y", "z", "ignored"]
    assert rows["y"] == {
        "before": 3,
        "after": 5,
        "gained": 2,
        "lost": 0,
        "right": 1,
        "wrong": 1,
        "neither": 0,
        "unknown": 0,
        "iou_before": 2 / 5,
        "iou_after": 3 / 6,
    }
    assert rows["ignored"]["iou_before"] is None


def test_versions_are_compared_with_each_other_both_ways(by_hand):
    there, back = compare(*by_hand, 1, 2), compare(*by_hand, 2, 1)
    assert [(row["from"], row["to"]) for row in there["moves"]] == [("class 1", "class 0"), ("class 1", "class 2")]
    for one, other in (("gained", "lost"), ("before", "after")):
        assert [row[one] for row in there["by_class"]] == [row[other] for row in back["by_class"]]
    assert "right" not in there["totals"]
    assert compare(*by_hand, 2, 2)["totals"]["changed"] == 0


@with_examples(st.integers(0, 2**32), st.booleans())
@settings(max_examples=20)
def test_an_export_differs_from_the_given_labels_in_what_the_version_changed(tmp_path_factory, seed, reduced):
    root, rng = tmp_path_factory.mktemp("any"), np.random.default_rng(seed)
    for folder in ("given", "clean"):
        write_maps(root / folder, {name: rng.integers(0, 5, (6, 5)) for name in "abc"})
    store, parent = LabelStore(root / "store"), 0
    for _ in range(2):
        version = store.begin()
        for name in "abc":
            if rng.random() < 0.6:
                store.put(name, "labels", rng.choice([0, 1, 2, 3, 255], (6, 5)).astype(np.uint8), version)
        store.finish(version, parent=parent)
        parent = version
    found = compare(root, store, 0, 2, clean=True, reduce_zero_label=reduced)
    given = GivenMaps(root / "given", reduce_zero_label=reduced)
    export_maps(store, 2, given, root / "out")
    exported = GivenMaps(root / "out", reduce_zero_label=reduced)
    before, after = (np.concatenate([m.classes(name).ravel() for name in "abc"]) for m in (given, exported))
    matrix = contingency_table(before, after).toarray().astype(int)
    assert found["totals"]["changed"] == matrix.sum() - np.trace(matrix)
    names = [f"class {k}" for k in range(255)] + ["ignored"]
    moves = {(row["from"], row["to"]): row["pixels"] for row in found["moves"]}
    np.fill_diagonal(matrix, 0)
    assert moves == {(names[a], names[b]): matrix[a, b] for a, b in np.argwhere(matrix)}
    for fate in ("right", "wrong", "neither", "unknown"):
        assert sum(row[fate] for row in found["moves"]) == found["totals"][fate]
    assert found["totals"]["changed"] == sum(found["totals"][f] for f in ("right", "wrong", "neither", "unknown"))


def test_clean_maps_of_another_size_or_missing_are_named(by_hand):
    root, store = by_hand
    (root / "clean" / "b.png").unlink()
    with pytest.raises(LabelError, match=r"clean/b\.png: cannot be read: No such file"):
        compare(root, store, 0, 1, clean=True)
    Image.new("L", (3, 2)).save(root / "clean" / "b.png")
    with pytest.raises(
        LabelError, match=r"clean/b\.png: expected the size of the given labels, \(2, 2\), got \(2, 3\)"
    ):
        compare(root, store, 0, 1, clean=True)
