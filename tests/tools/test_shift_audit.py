import json

import cv2
import numpy as np
import pytest
import torch

pytest.importorskip("mmseg")

CONFIG = """
default_scope = "mmseg"
model = dict(
    type="noisyseg.PNTEdge",
    detector=dict(
        type="noisyseg.EdgeDetector",
        data_preprocessor=dict(type="mmseg.SegDataPreProcessor", size_divisor=8, test_cfg=dict(size_divisor=8)),
        backbone=dict(type="noisyseg.CASENetResNet", depth=18, deep_stem=True, stem_channels=4, base_channels=4),
        decode_head=dict(type="noisyseg.CASENetHead", in_channels=[4, 4, 8, 32], num_classes=2),
    ),
    shift=dict(type="noisyseg.PixelShiftField", channels=4),
)
train_dataloader = dict(
    dataset=dict(
        type="mmseg.BaseSegDataset",
        data_root={root!r},
        data_prefix=dict(img_path="images", seg_map_path="labels"),
        img_suffix=".png",
        metainfo=dict(classes=("background", "square")),
        pipeline=[
            dict(type="mmengine.LoadImageFromFile"),
            dict(type="mmseg.LoadAnnotations"),
            dict(type="mmseg.RandomFlip", prob=0.5),
            dict(type="noisyseg.EdgesFromLabels", num_classes=2, radius=1),
            dict(type="noisyseg.PackSegInputs"),
        ],
    )
)
"""


@pytest.fixture
def tool(load_tool):
    return load_tool("shift_audit")


@pytest.fixture
def arguments(tmp_path):
    """Write two images, a config and a checkpoint whose field is not 0, and return what to call the tool with."""
    from mmengine.config import Config

    from noisyseg.registry import MODELS

    for index in range(2):
        labels = np.zeros((30, 33), np.uint8)
        labels[5:20, 4 + index : 20] = 1
        for folder, values in (("images", labels * 100), ("labels", labels)):
            (tmp_path / "data" / folder).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / "data" / folder / f"{index}.png"), values)
    config = tmp_path / "config.py"
    config.write_text(CONFIG.replace("{root!r}", repr(str(tmp_path / "data"))))
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(config).model)
    torch.nn.init.normal_(model.shift.shift.weight)
    torch.save({"state_dict": model.state_dict()}, tmp_path / "trained.pth")
    return [str(config), str(tmp_path / "trained.pth"), "--out", str(tmp_path / "audit")]


def test_it_writes_the_audit_of_the_training_set(tool, arguments, tmp_path, capsys):
    assert tool.main([*arguments, "--pictures", "1"]) == 0
    summary = json.loads((tmp_path / "audit" / "shifts.json").read_text())
    assert summary["images"] == 2
    assert summary["left_out"] == ["mmseg.RandomFlip"]
    assert summary["classes"]["square"]["mean"] > 0
    assert len(list((tmp_path / "audit" / "pictures").iterdir())) == 1
    assert f"square: {summary['classes']['square']['pixels']} edge pixels" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--cfg-options", "model.shift.channels=8"], "size mismatch"),
        (["--cfg-options", "train_dataloader.dataset.metainfo.classes=('a',)"], "expected 2 names, got 1"),
    ],
)
def test_bad_input_ends_with_2_and_a_reason(tool, arguments, tmp_path, capsys, more, message):
    assert tool.main([*arguments, *more]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "audit").exists()


def test_files_that_are_absent_are_named(tool, arguments, capsys):
    assert tool.main([arguments[0], "none.pth", *arguments[2:]]) == 2
    assert "none.pth" in capsys.readouterr().err
    assert tool.main(["none.py", *arguments[1:]]) == 2
    assert "none.py" in capsys.readouterr().err
