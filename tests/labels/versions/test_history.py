import numpy as np
import pytest

from noisyseg.labels import LabelError
from noisyseg.labels.versions import existing_store, existing_version, history, unneeded

MAP = np.zeros((4, 4), np.uint8)


@pytest.fixture
def tree(store, write_version):
    """Versions 1 <- 2 <- 4 and 1 <- 3, of which 3 is in force."""
    write_version(
        store, {"a": MAP, "b": MAP}, info={"changed": {"x": {"gained": 3, "lost": 5}, "y": {"gained": 4, "right": 2}}}
    )
    write_version(store, {"a": MAP}, parent=1, kind="weights")
    write_version(store, {"b": MAP}, parent=1)
    write_version(store, {}, parent=2, info={"changed": "much"})
    store.set_current(3)
    return store


def test_versions_are_told_with_what_they_hold(tree):
    tree.begin()
    versions = history(tree)
    assert [version.parent for version in versions] == [0, 1, 1, 2, None]
    assert [version.number for version in versions if version.in_force] == [3]
    assert [version.files.get("labels") for version in versions] == [2, 0, 1, 0, None]
    assert [version.changed for version in versions] == [7, None, None, None, None]
    assert [version.fates for version in versions] == [{"right": 2}, {}, {}, {}, {}]
    files = [path for path in (tree.root / "v0001").rglob("*") if path.is_file()]
    assert versions[0].size == sum(len(path.read_bytes()) for path in files)
    assert not versions[-1].is_complete


def test_what_something_builds_on_is_needed(tree, write_version):
    assert unneeded(tree) == []  # 4 is the newest, 3 in force
    write_version(tree, {}, parent=3)
    assert unneeded(tree) == [4, 2]
    assert unneeded(tree, keep=[2]) == [4]
    for version in unneeded(tree):
        tree.remove(version)
    assert tree.versions() == [1, 3, 5]
    assert tree.begin() == 6
    with pytest.raises(LabelError, match=r"expected one of the versions 0, 1, 3, 5 .* got 4"):
        unneeded(tree, keep=[4])


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (3, "v0003: cannot be removed: expected a version that is not in force"),
        (1, "expected no version that builds on it, got 2, 3"),
        (4, "expected a version before the newest, whose number would be used again"),
        (9, "v0009/manifest.json: this version is not there"),
    ],
)
def test_what_is_needed_cannot_be_removed(tree, version, message):
    with pytest.raises(LabelError, match=message):
        tree.remove(version)
    assert tree.versions() == [1, 2, 3, 4]


def test_a_store_has_to_be_there(tmp_path, tree):
    with pytest.raises(LabelError, match="nowhere: expected the folder of a label store, got none"):
        existing_store(tmp_path / "nowhere")
    with pytest.raises(LabelError, match=r"got neither; .*label_store may be meant"):
        existing_store(tree.root.parent)
    assert existing_store(tree.root).versions() == [1, 2, 3, 4]


def test_a_version_is_named_by_its_number_or_as_the_current_one(tree):
    assert [existing_version(tree, text) for text in ("0", "2", 4, "current")] == [0, 2, 4, 3]
    for wrong in ("5", "-1", "newest", "1.0"):
        with pytest.raises(LabelError, match=rf"expected one of the versions 0, 1, 2, 3, 4 .* got '{wrong}'"):
            existing_version(tree, wrong)
    (tree.root / "current.json").write_text('{"version": 8}')
    with pytest.raises(LabelError, match="got 8, which is in force"):
        existing_version(tree, "current")
