import pytest

TABLE = """
name, title, base, seeds, reference = "two", "Two", {base!r}, [0], "ce"
prepare = dict(source="scenes", train=2, val=1, size=32, seed=0, recipe="components_mixed")
data = dict(scenes=dict(title="Scenes", prepare=prepare))
methods = dict(ce=dict(title="CE"), clean=dict(title="Clean", labels="clean"))
"""


@pytest.fixture(scope="module")
def tool(load_tool):
    return load_tool("benchmark")


@pytest.fixture
def table(tmp_path, repository):
    path = tmp_path / "two.py"
    path.write_text(TABLE.format(base=str(repository / "benchmarks" / "segmentation.py")))
    return str(path)


def test_list_names_the_cells_and_runs_none(tool, table, tmp_path, capsys):
    places = ["--out", str(tmp_path / "out"), "--data", str(tmp_path / "data")]
    assert tool.main([table, "--list", *places]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1].rsplit("-", 1)[0] for line in lines] == ["scenes-ce-0", "scenes-clean-0"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--only", "voc"], "got voc"), (["--jobs", "0"], "--jobs: expected at least 1"), (["--budget", "2"], "--budget")],
)
def test_unusable_arguments_are_refused(tool, table, tmp_path, capsys, arguments, message):
    try:
        status = tool.main([table, *arguments, "--data", str(tmp_path / "data")])
    except SystemExit as error:
        status = error.code
    assert status == 2
    assert message in capsys.readouterr().err


def test_a_missing_table_is_reported(tool, capsys):
    assert tool.main(["nowhere.py"]) == 2
    assert "nowhere.py: no such table" in capsys.readouterr().err
