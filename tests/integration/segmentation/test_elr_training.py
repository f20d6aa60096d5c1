"""A resumed training equals one that ran through, whatever the targets of `PixelELR` come from."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.runner import Runner

from noisyseg.integration import target_bank_hook
from noisyseg.integration.runner_setup import build_runner, load_config
from noisyseg.integration.segmentation import TeacherHook
from noisyseg.integration.target_bank_hook import TargetBankHook
from noisyseg.losses import PixelELR

BACKENDS = ["none", "teacher", "bank"]


@pytest.fixture(autouse=True)
def quick_runner(monkeypatch):
    """Spares the runner what takes most of its time here: to format its config twice and to list the environment."""
    monkeypatch.setattr(Runner, "_log_env", lambda self, *_: None)
    monkeypatch.setattr(Runner, "dump_config", lambda self: None)


def config_of(tiny_config, work_dir, backend, iterations, *, save_at=2, resume=False):
    config = load_config(str(tiny_config), work_dir=str(work_dir))
    targets = {"none": None, "teacher": dict(type="noisyseg.TeacherTargets")}
    targets["bank"] = dict(type="noisyseg.TargetBank", top=2, stride=4, momentum=0.7)
    loss = dict(type="noisyseg.PixelELR", warm_up=1, ramp=3, targets=targets[backend])
    config.model.decode_head.update(
        type="noisyseg.NoiseAwareHead", head="mmseg.FCNHead", dropout_ratio=0, loss_decode=loss
    )
    dataset = config.train_dataloader.dataset
    dataset.pipeline = [
        *dataset.pipeline[:-1],
        dict(type="noisyseg.RecordPixelOrigin"),
        dict(type="mmseg.RandomFlip", prob=1.0),
        dict(type="noisyseg.PackSegInputs"),
    ]
    if backend == "bank":
        config.custom_hooks = [dict(type="noisyseg.TargetBankHook")]
    if backend == "teacher":
        config.model = dict(type="noisyseg.TeacherStudentSegmentor", momentum=0.3, segmentor=config.model)
        config.custom_hooks = [dict(type="noisyseg.TeacherHook")]
    config.train_dataloader.num_workers = 0
    config.train_cfg.max_iters = iterations
    config.default_hooks.checkpoint.update(interval=save_at, max_keep_ckpts=2)
    config.resume = resume
    return config


def train(config):
    runner = build_runner(config)
    runner.train()
    return runner


def bank_of(work_dir):
    folder = work_dir / "target_bank"
    newest = {}
    for path in sorted(folder.rglob("*.npy"), key=lambda path: int(path.stem)):
        newest[path.parent.name] = np.load(path)
    return newest


@pytest.fixture(scope="module")
def states():
    return {}


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_resumed_training_equals_one_that_ran_through(tiny_config, tmp_path, backend, states):
    through, stopped = tmp_path / "through", tmp_path / "stopped"
    state = train(config_of(tiny_config, through, backend, 6, save_at=6)).model.state_dict()
    train(config_of(tiny_config, stopped, backend, 5))  # its last checkpoint is that of iteration 4
    resumed = train(config_of(tiny_config, stopped, backend, 6, resume=True)).model.state_dict()
    assert resumed.keys() == state.keys()
    for name, value in resumed.items():
        assert torch.equal(value, state[name]), name
    prefix = "student." if backend == "teacher" else ""
    assert state[f"{prefix}decode_head.loss_decode.iteration"] == 6
    if backend == "bank":
        ours, theirs = bank_of(stopped), bank_of(through)
        assert ours.keys() == theirs.keys()
        assert len(ours) == 4
        for key, array in ours.items():
            np.testing.assert_array_equal(array, theirs[key])
            assert (array[0, 0] > 0).all()
        with pytest.raises(ValueError, match="resume it, or delete the folder"):
            train(config_of(tiny_config, stopped, backend, 6))
    weights = state[f"{prefix}decode_head.conv_seg.weight"]
    for other in states.values():  # the three differ in nothing but their targets
        assert not torch.allclose(weights, other, atol=1e-6)
    states[backend] = weights


@pytest.mark.parametrize(
    ("hook", "message"),
    [
        (TargetBankHook, "the model has no noisyseg.PixelELR with targets"),
        (TeacherHook, "expected a model of type noisyseg.TeacherStudentSegmentor, not Linear"),
    ],
)
def test_hooks_that_find_nothing_to_do_raise(hook, message):
    with pytest.raises(ValueError, match=message):
        hook().before_train(SimpleNamespace(model=torch.nn.Linear(1, 1)))


def test_processes_on_several_machines_raise(monkeypatch, tmp_path):
    monkeypatch.setattr(target_bank_hook, "all_gather_object", lambda name: [name, "another"])
    model = PixelELR(targets=dict(type="noisyseg.TargetBank"))
    with pytest.raises(ValueError, match=r"expected processes on one machine, not on .*another"):
        TargetBankHook().before_train(SimpleNamespace(model=model, work_dir=tmp_path, iter=0))


def test_a_teacher_is_updated_once_in_a_step_of_the_optimizer(tiny_config, tmp_path):
    config = config_of(tiny_config, tmp_path, "teacher", 5, save_at=9)
    config.optim_wrapper.accumulative_counts = 2
    assert train(config).model.updates == 3  # after 2, 4 and the last iteration


def test_no_targets_are_needed_in_a_plain_head(tiny_config, tmp_path):
    config = config_of(tiny_config, tmp_path, "none", 2, save_at=9)
    del config.model.decode_head["head"]
    config.model.decode_head.type = "mmseg.FCNHead"
    losses = train(config).message_hub.log_scalars["train/decode.loss_pixel_elr"]
    assert np.isfinite(losses.current())
