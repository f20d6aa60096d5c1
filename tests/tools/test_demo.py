import json

import pytest

pytest.importorskip("mmseg")


@pytest.mark.slow
def test_quick_demo_leaves_a_page_and_prints_where(load_tool, tmp_path, capsys):
    out = tmp_path / "demo"
    assert load_tool("demo").main(["--quick", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert f"page:     {out / 'index.html'}" in printed
    assert f"picture:  {out / 'labels_and_predictions.png'}" in printed
    assert "trained on noisy labels" in printed
    assert (out / "labels_and_predictions.png").read_bytes().startswith(b"\x89PNG")
    assert (out / "index.html").read_text().count("data:image/png;base64,") == 4
    scores = json.loads((out / "scores.json").read_text())
    for name in ("clean", "noisy"):
        for curve in ("clean_val", "clean_train", "noisy_train"):
            assert all(0 <= score <= 100 for score in scores[name][curve]["scores"])
    assert load_tool("demo").main(["--quick", "--iterations", "0"]) == 2


def test_a_folder_with_other_things_ends_with_a_sentence(load_tool, tmp_path, capsys):
    (tmp_path / "other").write_text("")
    assert load_tool("demo").main(["--quick", "--out", str(tmp_path)]) == 2
    assert "is not a demo" in capsys.readouterr().err
