import cv2
import numpy as np
import pytest


def test_scores_label_maps_and_pictures_are_written(trained_dir, tiny_config, load_tool, tmp_path, capsys):
    argv = [str(tiny_config), str(trained_dir / "iter_2.pth"), "--work-dir", str(tmp_path / "work")]
    argv += ["--out", str(tmp_path / "maps"), "--show-dir", str(tmp_path / "pictures")]
    assert load_tool("test").main(argv) == 0
    score = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("mIoU: "))
    assert 0 <= float(score.split()[1]) <= 100
    assert sorted(path.name for path in (tmp_path / "maps").iterdir()) == [f"{n}.png" for n in range(4)]
    classes = cv2.imread(str(tmp_path / "maps" / "0.png"), cv2.IMREAD_UNCHANGED)
    assert set(np.unique(classes)) <= {0, 1}
    assert any((tmp_path / "pictures").rglob("*.png"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.py", "none.pth"], "error: config none.py: no such file"),
        (["{config}", "none.pth"], "error: checkpoint: no such file: none.pth"),
        (["{config}", "none.pth", "--tta"], "error: --tta: the config has no tta_model"),
    ],
)
def test_what_cannot_be_used_ends_with_a_sentence_and_a_status(
    load_tool, tiny_config, tmp_path, capsys, arguments, message
):
    argv = [argument.format(config=tiny_config) for argument in arguments]
    assert load_tool("test").main([*argv, "--work-dir", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err
