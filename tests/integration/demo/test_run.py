import json

import pytest

from noisyseg.integration.demo import run_demo

pytest.importorskip("mmseg")


def test_a_folder_with_other_things_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("years")
    with pytest.raises(FileExistsError, match="is not a demo"):
        run_demo(tmp_path, seed=0, iterations=1, train=1, val=1)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


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
