"""The translation: colours of regions, losses, one step, optimizers, resuming."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from noisyseg.integration.runner_setup import build_runner, load_config
from noisyseg.integration.unpaired.translation import PARTS, AdversarialOptimWrapperConstructor, appearance, painted

CONFIGS = Path(__file__).resolve().parents[3] / "configs/pseudo_labels/translation"
LEAF = CONFIGS / "translation-vae_1k_scenes-unpaired.py"
SGD = dict(optimizer=dict(type="mmengine.SGD", lr=0.1))
PATCHES = dict(type="noisyseg.PatchDiscriminator", in_channels=1, width=4)


def batch(size=16):
    draws = torch.Generator().manual_seed(0)
    images = torch.rand(2, 3, size, size, generator=draws)
    return {"image": list(images), "mask": list(torch.rand(2, 1, size, size, generator=draws).round()), "index": [0, 1]}


def test_colours_are_the_means_of_the_two_regions():
    images, masks = torch.rand(2, 3, 8, 8), torch.rand(2, 1, 8, 8).round()
    looks = appearance(images, masks, cells=1)
    assert looks.shape == (2, 2, 3, 8, 8)
    for n in range(2):
        inside = images[n, :, masks[n, 0] == 1].mean(1)
        assert torch.allclose(looks[n, 0, :, 0, 0], inside, atol=1e-3)
    assert torch.isfinite(appearance(images, torch.zeros_like(masks), cells=4)).all()


def test_two_flat_regions_give_their_own_image_back_before_training(make_model):
    model = make_model()
    torch.nn.init.zeros_(model.to_image.head[1].weight)
    torch.nn.init.zeros_(model.to_image.head[1].bias)
    masks = torch.zeros(1, 1, 16, 16)
    masks[..., 4:12, 4:12] = 1
    images = 0.3 + 0.4 * masks.expand(-1, 3, -1, -1)
    assert torch.allclose(model.images_of(masks, appearance(images, masks, 1)), images, atol=0.01)


def test_objects_may_differ_in_colour_and_the_background_may_not():
    masks = torch.zeros(1, 1, 16, 16)
    masks[..., :4, :4] = masks[..., 12:, 12:] = 1
    images = 0.5 * torch.ones(1, 3, 16, 16)
    images[..., :4, :4], images[..., 12:, 12:] = 0.0, 1.0

    def error(masks, cells):
        return (painted(masks, appearance(images, masks, cells)) - images).square().mean().item()

    assert error(masks, 4) < 0.1 * error(1 - masks, 4)
    assert error(masks, 1) == pytest.approx(error(1 - masks, 1), abs=1e-3)


@pytest.mark.parametrize("settings", [{}, {"calibrate": False}, {"mask_critic": PATCHES}], ids=str)
def test_one_step_changes_every_network(make_model, settings):
    model = make_model(**settings)
    wrappers = AdversarialOptimWrapperConstructor(dict.fromkeys(PARTS, SGD))(model)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    losses = model.train_step(batch(), wrappers)
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert {
        "loss_mask_adversarial",
        "loss_image_adversarial",
        "loss_mask_cycle",
        "loss_image_cycle",
        "loss_regions",
    } < set(losses)
    changed = {name.split(".")[0] for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    assert changed == {"to_mask", "to_image", "mask_critic", "image_critic"}
    assert all(p.requires_grad for p in model.parameters())


def test_critics_learn_nothing_from_the_loss_of_the_generators(make_model):
    model = make_model()
    frozen = dict(optimizer=dict(type="mmengine.SGD", lr=0.0))
    wrappers = AdversarialOptimWrapperConstructor({"generators": SGD, "discriminators": frozen})(model)
    before = [p.detach().clone() for p in (*model.mask_critic.parameters(), *model.image_critic.parameters())]
    model.train_step(batch(), wrappers)
    after = [*model.mask_critic.parameters(), *model.image_critic.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_calibration_adds_a_pass(make_model):
    images = torch.rand(2, 3, 16, 16)
    assert len(make_model().mask_passes(images)) == 2
    assert len(make_model(calibrate=False).mask_passes(images)) == 1
    probability = make_model()(images)
    assert probability.shape == (2, 1, 16, 16)
    assert ((probability > 0) & (probability < 1)).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weights": {"mask_cicle": 1}}, "weights: expected .* got mask_cicle=1"),
        ({"weights": {"mask_cycle": -1}}, "weights: expected .* got mask_cycle=-1"),
        ({"cells": 0}, "cells: expected at least 1"),
        ({"seed": -1}, "seed: expected an integer >= 0"),
    ],
)
def test_settings_out_of_range_are_refused(make_model, settings, message):
    with pytest.raises(ValueError, match=message):
        make_model(**settings)


def test_other_entries_for_the_optimizers_are_refused(make_model):
    with pytest.raises(ValueError, match="expected generators and discriminators, got generators"):
        AdversarialOptimWrapperConstructor({"generators": SGD})
    with pytest.raises(ValueError, match="and paramwise_cfg"):
        AdversarialOptimWrapperConstructor(dict.fromkeys(PARTS, SGD), {"norm_decay_mult": 0})
    with pytest.raises(ValueError, match="mode: expected 'tensor' or 'predict', got 'loss'"):
        make_model()(torch.rand(1, 3, 16, 16), mode="loss")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.py")), ids=lambda path: path.stem)
def test_each_config_builds_its_own_critic(path, scenes, monkeypatch, tmp_path):
    monkeypatch.setenv("NOISYSEG_SCENES", str(scenes))
    config = Config.fromfile(path)
    config.work_dir = str(tmp_path)
    model = build_runner(config).model
    assert type(model.mask_critic).__name__ == ("PatchDiscriminator" if "patch" in path.stem else "VaeDiscriminator")
    assert model.calibrate == ("uncalibrated" not in path.stem)


def trained(small_settings, folder, iterations, resume=False):
    """Returns the weights after training the small translation from the config, as ``tools/train.py`` does."""
    config = load_config(str(LEAF), work_dir=str(folder))
    config.model = small_settings
    config.train_cfg.max_iters = iterations
    config.train_dataloader.batch_size = 2
    config.train_dataloader.dataset.size = 16
    config.default_hooks.checkpoint.interval = 2
    config.custom_hooks[0].update(size=16, out_dir=str(folder / "pseudo"))
    config.resume = resume
    config.experiment_name = f"{folder.name}-{iterations}-{resume}"  # mmengine warns of runners of one name
    runner = build_runner(config)
    runner.train()
    return runner.model.state_dict(), runner.message_hub


def test_a_resumed_training_ends_where_an_unbroken_one_does(scenes, small_settings, monkeypatch, tmp_path):
    monkeypatch.setenv("NOISYSEG_SCENES", str(scenes))
    unbroken, scalars = trained(small_settings, tmp_path / "unbroken", 4)
    trained(small_settings, tmp_path / "broken", 2)
    resumed, _ = trained(small_settings, tmp_path / "broken", 4, resume=True)
    assert all(torch.equal(unbroken[name], resumed[name]) for name in unbroken)
    assert len(list((tmp_path / "broken/pseudo").glob("*.png"))) == 6
    assert 0 < scalars.get_scalar("pseudo_labels/all_foreground").current() < 1
