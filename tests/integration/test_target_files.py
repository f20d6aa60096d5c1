import numpy as np
import pytest

from noisyseg.integration.target_files import TargetFiles

FIVE = np.full((2, 3, 1, 1), 5, np.uint8)


@pytest.fixture
def files(tmp_path):
    return TargetFiles(tmp_path / "bank", keep=2)


def value(files, key, iteration):
    array = files.read(key, iteration)
    return None if array is None else int(array.flat[0])


def test_the_newest_version_up_to_an_iteration_is_read(files):
    files.start(0)
    files.write("a/x y", 3, FIVE)
    files.write("a/x y", 7, FIVE + 1)
    assert [value(files, "a/x y", n) for n in (2, 3, 6, 7, 99)] == [None, 5, 5, 6, 6]
    assert value(files, "b", 9) is None


def test_versions_that_nobody_needs_are_removed(files):
    files.start(0)
    for iteration in range(1, 9):
        files.write("a", iteration, FIVE + iteration)
        if iteration % 3 == 0:
            files.pin(iteration)
    assert sorted(int(path.stem) for path in (files.folder / "a").iterdir()) == [3, 6, 7, 8]
    files.pin(9)
    files.write("a", 10, FIVE)
    assert files.pins() == [6, 9]
    assert sorted(int(path.stem) for path in (files.folder / "a").iterdir()) == [6, 8, 10]


def test_a_resumed_training_finds_the_state_of_its_checkpoint(files):
    files.start(0)
    files.write("a", 1, FIVE)
    files.pin(2)
    files.write("a", 3, FIVE + 1)
    files.write("new", 4, FIVE)
    (files.folder / "a" / "123.partial").write_bytes(b"killed while writing")
    resumed = TargetFiles(files.folder)
    resumed.start(2)
    assert value(resumed, "a", 2) == value(resumed, "a", 99) == 5
    assert value(resumed, "new", 99) is None
    assert [path.name for path in (files.folder / "a").iterdir()] == ["1.npy"]


def test_what_a_killed_first_attempt_left_is_removed(files):
    files.start(0)
    files.write("a", 5, FIVE)
    TargetFiles(files.folder).start(0)
    assert value(files, "a", 99) is None


def test_targets_of_another_training_are_not_touched(files):
    files.start(0)
    files.write("a", 1, FIVE)
    files.pin(2)
    with pytest.raises(ValueError, match=r"another one, with checkpoints of iterations \[2\]; resume it, or delete"):
        TargetFiles(files.folder).start(0)
    with pytest.raises(ValueError, match=r"expected targets of iteration 7, .* there are those of \[2\]"):
        TargetFiles(files.folder).start(7)
    assert value(files, "a", 2) == 5
