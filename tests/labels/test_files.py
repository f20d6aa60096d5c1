import hashlib
import os
import stat

import numpy as np
import orjson
import pytest

from noisyseg.labels.files import atomic_path, check_writable, sha256, write_json


def test_a_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "new" / "folder" / "a.txt"
    with atomic_path(path) as partial:
        partial.write_text("new")
        assert partial.parent == path.parent
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_no_other(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write():
        with atomic_path(path) as partial:
            partial.write_text("half of the n")
            raise error("in the middle")

    with pytest.raises(error, match="in the middle"):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_mode_is_that_of_an_ordinary_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        write_json(tmp_path / "a.json", {})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o640


def test_json_is_written_with_numpy_values(tmp_path):
    write_json(tmp_path / "a.json", {"a": np.arange(3), "b": np.float64(0.5)})
    assert (tmp_path / "a.json").read_bytes() == b'{"a":[0,1,2],"b":0.5}\n'
    write_json(tmp_path / "b.json", {"a": 1}, indent=True)
    assert (tmp_path / "b.json").read_text() == '{\n  "a": 1\n}\n'


def test_what_is_no_json_leaves_the_old_file(tmp_path):
    write_json(tmp_path / "a.json", {"old": 1})
    with pytest.raises(orjson.JSONEncodeError):
        write_json(tmp_path / "a.json", {"new": object()})
    assert orjson.loads((tmp_path / "a.json").read_bytes()) == {"old": 1}


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises((NotADirectoryError, FileExistsError)):
        write_json(tmp_path / "file" / "a.json", {})


def test_sha256_is_that_of_the_bytes(tmp_path):
    data = bytes(range(256)) * 5000
    (tmp_path / "a").write_bytes(data)
    assert sha256(tmp_path / "a") == hashlib.sha256(data).hexdigest()
    (tmp_path / "empty").write_bytes(b"")
    assert sha256(tmp_path / "empty") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_folder_that_can_be_written_to_is_made_and_left_empty(tmp_path):
    check_writable(tmp_path / "new" / "a.json")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match="file"):
        check_writable(tmp_path / "file" / "a.json")
