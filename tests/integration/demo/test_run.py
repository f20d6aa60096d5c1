import json
import sys

import pytest

pytest.importorskip("mmseg")

from noisyseg.integration.demo import run_demo
from noisyseg.integration.demo.training import train_segmenters


def test_a_folder_with_other_things_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("years")
    with pytest.raises(FileExistsError, match="is not a demo"):
        run_demo(tmp_path, seed=0, iterations=1, train=1, val=1)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_the_cache_of_yapf_is_written_before_processes_start(tmp_path, monkeypatch):
    def start(*_args, **_settings):
        raise InterruptedError("yapf" in sys.modules)

    monkeypatch.delitem(sys.modules, "yapf")
    monkeypatch.setattr("noisyseg.integration.demo.training.ProcessPoolExecutor", start)
    with pytest.raises(InterruptedError, match="True"):
        train_segmenters(tmp_path, {"one": "a", "two": "b"}, tmp_path, iterations=1, seed=0)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_scores(tmp_path):
    for name in ("one", "two"):
        result = run_demo(tmp_path / name, seed=3, iterations=4, train=4, val=1)
        assert result.page.is_file()
    one, two = (json.loads((tmp_path / name / "scores.json").read_text()) for name in ("one", "two"))
    assert one == two
    assert one["clean"]["clean_val"]["iterations"] == [1, 2, 3, 4]
    pages = [(tmp_path / name / "index.html").read_bytes() for name in ("one", "two")]
    assert pages[0] == pages[1]
