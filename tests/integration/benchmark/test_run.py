import orjson
import pytest

from noisyseg.integration.benchmark import run_cells
from noisyseg.integration.benchmark.cell import code_hash
from noisyseg.integration.benchmark.run import read_row, row_path

TIMES = {"seconds", "cpu_seconds", "peak_mem"}


def run(cells, prepared, out, **settings):
    said = []
    folders = {name: data.folder for name, data in prepared.items()}
    outcome = run_cells(cells, folders, out, say=said.append, **{"processes": 2} | settings)
    return outcome, said


def without_times(row):
    return {key: value for key, value in row.items() if key not in TIMES}


@pytest.fixture(scope="module")
def finished(load, prepared, tmp_path_factory):
    """Return the folder of two finished cells, and what was said of them."""
    workplace = tmp_path_factory.mktemp("out")
    outcome, said = run(load().cells(prepared, seeds=[0]), prepared, workplace)
    assert (outcome.finished, outcome.failed) == (2, [])
    return workplace, said


def test_rows_come_out_and_are_not_made_again(load, prepared, finished):
    workplace, said = finished
    cells = load().cells(prepared, seeds=[0])
    row = read_row(workplace, cells[1])
    assert row["curve"]["iterations"] == [1, 2]
    assert row["best"]["miou"] == max(row["curve"]["clean"])
    assert row["last"]["miou"] == row["curve"]["clean"][-1]
    assert row["extra_forward_passes"] == 0
    assert (row["uses_noise_rate"], row["uses_clean_images"]) == (True, False)
    assert row["code"] == code_hash()
    assert "2/2" in said[-1]
    times = [row_path(workplace, cell).stat().st_mtime_ns for cell in cells]
    outcome, said = run(cells, prepared, workplace)
    assert (outcome.finished, said) == (2, ["2 cells, 2 finished already, 2 at a time"])
    assert times == [row_path(workplace, cell).stat().st_mtime_ns for cell in cells]


def test_a_killed_cell_is_reported_and_comes_out_the_same_when_it_runs_again(load, prepared, finished, tmp_path):
    cells = load().cells(prepared, seeds=[0], only=["ce"])
    outcome, said = run(cells, prepared, tmp_path, limit_seconds=0.01)
    assert [cell.method for cell, _ in outcome.failed] == ["ce"]
    assert "FAILED" in said[-1]
    assert "ended after" in outcome.failed[0][1].read_text()
    assert read_row(tmp_path, cells[0]) is None
    assert run(cells, prepared, tmp_path)[0].finished == 1
    assert without_times(read_row(tmp_path, cells[0])) == without_times(read_row(finished[0], cells[0]))


def test_a_failed_cell_leaves_the_others_alone(load, prepared, tmp_path):
    cells = load("noisyseg.ForwardCorrection", "noisyseg.Nothing").cells(prepared, seeds=[0])
    outcome, _ = run(cells, prepared, tmp_path, processes=1)
    assert outcome.finished == 1
    assert [cell.method for cell, _ in outcome.failed] == ["forward"]
    assert "noisyseg.Nothing" in outcome.failed[0][1].read_text()


def test_a_row_of_another_cell_is_refused(load, prepared, tmp_path):
    cell = load().cells(prepared)[0]
    path = row_path(tmp_path, cell)
    path.parent.mkdir(parents=True)
    path.write_bytes(orjson.dumps({"key": "other"}))
    with pytest.raises(ValueError, match="got 'other'"):
        run([cell], prepared, tmp_path)
