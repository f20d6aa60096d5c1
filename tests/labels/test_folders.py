import pytest

from noisyseg.labels.folders import atomic_folder, check_replaceable

MARKER = "made.json"


def write(folder, text, **settings):
    with atomic_folder(folder, marker=MARKER, **settings) as new:
        (new / MARKER).write_text(text)


def test_the_folder_appears_when_it_is_complete(tmp_path):
    target = tmp_path / "a" / "b"
    with atomic_folder(target, marker=MARKER) as new:
        (new / "file").write_text("1")
        assert not target.exists()
    assert (target / "file").read_text() == "1"
    assert [path.name for path in target.parent.iterdir()] == ["b"]


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "out").mkdir()
    write(tmp_path / "out", "1")
    assert (tmp_path / "out" / MARKER).read_text() == "1"


def test_a_folder_of_its_own_is_replaced_with_force_only(tmp_path):
    write(tmp_path / "out", "1")
    (tmp_path / "out" / "old").write_text("")
    with pytest.raises(FileExistsError, match="is there already; force is needed"):
        write(tmp_path / "out", "2")
    assert (tmp_path / "out" / MARKER).read_text() == "1"
    write(tmp_path / "out", "2", force=True)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [MARKER]


@pytest.mark.parametrize("force", [False, True])
def test_another_folder_is_never_replaced(tmp_path, force):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "photo.png").write_text("mine")
    with pytest.raises(FileExistsError, match=r"out: exists and has no made\.json"):
        write(tmp_path / "out", "2", force=force)
    assert (tmp_path / "out" / "photo.png").read_text() == "mine"


def test_a_file_is_never_replaced(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(FileExistsError, match="so it is something else"):
        write(tmp_path / "out", "2", force=True)


def test_an_error_leaves_the_old_folder_and_nothing_else(tmp_path):
    write(tmp_path / "out", "1")

    def fail():
        with atomic_folder(tmp_path / "out", marker=MARKER, force=True) as new:
            (new / "half").write_text("")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == [MARKER]


def test_whether_a_folder_may_be_replaced_is_known_before(tmp_path):
    check_replaceable(tmp_path / "new", marker=MARKER)
    write(tmp_path / "out", "1")
    check_replaceable(tmp_path / "out", marker=MARKER, force=True)
    with pytest.raises(FileExistsError, match="force is needed"):
        check_replaceable(tmp_path / "out", marker=MARKER)
