"""The configs that train on pseudo labels find what the writer wrote, and score two classes."""

from pathlib import Path

import pytest
import torch

import noisyseg  # noqa: F401 - makes mmseg's configs resolve
from noisyseg.integration.runner_setup import build_runner, load_config
from noisyseg.integration.unpaired import WritePseudoLabels

pytest.importorskip("mmseg")
CONFIGS = Path(__file__).resolve().parents[3] / "configs/pseudo_labels/segmentation"


class Grey(torch.nn.Module):
    """Holds what is brighter than the image's mean for foreground."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))

    def forward(self, images):
        grey = self.scale * images.mean(1, keepdim=True)
        return (grey > grey.mean((2, 3), keepdim=True)).float()


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.py")), ids=lambda path: path.stem)
def test_a_config_trains_on_what_was_written(path, scenes, monkeypatch, tmp_path):
    monkeypatch.setenv("NOISYSEG_SCENES", str(scenes))
    WritePseudoLabels(scenes / "images/train", scenes / "semantic_pseudo/train", size=32).write(Grey())
    config = load_config(str(path), work_dir=str(tmp_path))
    config.experiment_name = path.stem
    for loader in (config.train_dataloader, config.val_dataloader, config.test_dataloader):
        loader.num_workers, loader.persistent_workers = 0, False
    config.train_cfg.update(max_iters=4, val_interval=4)
    config.param_scheduler = []
    for hook in config.custom_hooks if "rounds" in path.stem else ():
        hook.update(rounds=2, first_round=2, round_iters=2)
    runner = build_runner(config)
    runner.train()
    scores = runner.message_hub.log_scalars
    assert {tag for tag in scores if tag.endswith("/mIoU")} == {
        f"val/{split}/mIoU" for split in ("clean", "given", "clean_train")
    }
    assert 0 < scores["train/loss"].current() < 100
    assert (tmp_path / "label_store").is_dir() == ("rounds" in path.stem)
