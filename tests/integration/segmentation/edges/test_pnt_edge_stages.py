"""One training goes through the stages, and can be stopped and resumed anywhere."""

import copy
import logging
from types import SimpleNamespace

import pytest

pytest.importorskip("mmseg")

import numpy as np
import torch
import torch.multiprocessing as mp
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import Dataset

from noisyseg.registry import DATASETS, HOOKS, MODELS

STAGES = dict(type="noisyseg.PNTEdgeStages", warmup=2, shift=2, edge=1, joint=2)
SEEN = ["warmup"] * 2 + ["shift"] * 2 + ["edge"] + ["joint"] * 2
MODEL = dict(
    type="noisyseg.PNTEdge",
    detector=dict(
        type="noisyseg.EdgeDetector",
        data_preprocessor=dict(type="mmseg.SegDataPreProcessor", mean=[0.0] * 3, std=[255.0] * 3, size_divisor=1),
        backbone=dict(
            type="noisyseg.CASENetResNet",
            depth=18,
            deep_stem=True,
            stem_channels=4,
            base_channels=4,
            norm_cfg=dict(type="mmengine.BN"),
        ),
        decode_head=dict(type="noisyseg.CASENetHead", in_channels=[4, 4, 8, 32], num_classes=1),
    ),
    shift=dict(type="noisyseg.PixelShiftField", channels=4),
)


@DATASETS.register_module(name="SquaresForStages")
class Squares(Dataset):
    """Six squares, mirrored at random."""

    metainfo: dict = {}  # noqa: RUF012

    def __len__(self):
        return 6

    def __getitem__(self, index):
        image, bits = np.full((16, 16, 3), 90, np.uint8), np.zeros((16, 16), np.int32)
        image[4:12, 2 + index : 10] = 200
        bits[4:12, 2 + index], bits[4, 2 + index : 10] = 1, 1
        if np.random.random() < 0.5:  # noqa: NPY002 - as mmcv's transforms draw
            image, bits = image[:, ::-1], bits[:, ::-1]
        sample = SegDataSample(gt_edge_bits=PixelData(data=torch.from_numpy(bits[None].copy())))
        sample.set_data({"gt_image_edges": PixelData(data=torch.from_numpy((bits[None] > 0).astype(np.uint8)))})
        return dict(inputs=torch.from_numpy(image.transpose(2, 0, 1).copy()), data_samples=sample)


@HOOKS.register_module(name="WatchStages")
class WatchStages(Hook):
    """Notes in which stage each iteration was and what it changed."""

    priority = "VERY_LOW"

    def __init__(self):
        self.seen, self.moved, self.logged = [], [], []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.before = {name: value.clone() for name, value in runner.model.named_parameters()}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.seen.append(runner.model.stage)
        after = dict(runner.model.named_parameters())
        self.moved.append({k.partition(".")[0] for k in after if not torch.equal(after[k], self.before[k])})
        self.logged.append({key for key in runner.message_hub.log_scalars if "loss" in key})


def runner_for(work_dir, stages=None, epochs=False, **settings):
    stages = {**STAGES, **(stages or {})}
    length = sum(stages[name] for name in ("warmup", "shift", "edge", "joint"))
    loop = dict(by_epoch=True, max_epochs=length) if epochs else dict(type="mmengine.IterBasedTrainLoop", max_iters=7)
    config = dict(
        model=copy.deepcopy(MODEL),
        work_dir=str(work_dir),
        train_dataloader=dict(
            batch_size=2,
            num_workers=0,
            sampler=dict(type="mmengine.DefaultSampler" if epochs else "mmengine.InfiniteSampler", shuffle=True),
            dataset=dict(type="noisyseg.SquaresForStages"),
            collate_fn=dict(type="mmengine.pseudo_collate"),
        ),
        train_cfg=loop,
        optim_wrapper=dict(
            type="mmengine.OptimWrapper", optimizer=dict(type="mmengine.AdamW", lr=1e-2, weight_decay=0.1)
        ),
        param_scheduler=[dict(type="mmengine.LinearLR", start_factor=0.5, begin=0, end=7, by_epoch=False)],
        default_hooks=dict(
            checkpoint=dict(type="mmengine.CheckpointHook", interval=1, by_epoch=epochs, max_keep_ckpts=-1)
        ),
        custom_hooks=[stages, dict(type="noisyseg.WatchStages"), dict(type="noisyseg.RandomStateHook")],
        default_scope="mmengine",
        randomness=dict(seed=0, deterministic=False),
        experiment_name=f"{work_dir.name}{len(list(work_dir.glob('*')))}",
    )
    config.update(settings)
    return Runner.from_cfg(Config(config))


def watched(runner):
    return next(hook for hook in runner.hooks if isinstance(hook, WatchStages))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Returns the work directory of a training that ran through, and what was seen in it."""
    folder = tmp_path_factory.mktemp("through")
    runner = runner_for(folder)
    runner.train()
    return folder, watched(runner)


def test_one_training_has_all_stages(trained):
    folder, watch = trained
    assert watch.seen == SEEN
    assert watch.moved == [{"detector"}] * 2 + [{"shift"}] * 2 + [{"detector"}] + [{"detector", "shift"}] * 2
    assert watch.logged[1] == {"train/loss", "train/loss_side0", "train/loss_fused"}
    assert watch.logged[2] == {"train/loss", "train/loss_similarity", "train/loss_target", "train/loss_complexity"}
    noted = [torch.load(folder / f"iter_{i}.pth", weights_only=False)["meta"]["pnt_edge"] for i in range(1, 8)]
    assert [(entry["stage"], entry["begin"]) for entry in noted] == [
        *[("warmup", 0)] * 2,
        *[("shift", 2)] * 2,
        ("edge", 4),
        *[("joint", 5)] * 2,
    ]


@pytest.mark.parametrize("stop", [1, 2, 4, 6])
def test_a_resumed_training_ends_like_one_that_ran_through(trained, tmp_path, stop):
    folder, _ = trained
    runner = runner_for(tmp_path, load_from=str(folder / f"iter_{stop}.pth"), resume=True)
    runner.train()
    expected = torch.load(folder / "iter_7.pth", weights_only=False)["state_dict"]
    for name, value in runner.model.state_dict().items():
        assert torch.equal(value, expected[name]), name
    assert watched(runner).seen == SEEN[stop:]


def test_the_detector_is_written_alone(trained):
    folder, _ = trained
    plain = MODELS.build(copy.deepcopy(MODEL["detector"]))
    plain.load_state_dict(torch.load(folder / "edge_detector.pth")["state_dict"])
    expected = torch.load(folder / "iter_7.pth", weights_only=False)["state_dict"]
    for name, value in plain.state_dict().items():
        assert torch.equal(value, expected[f"detector.{name}"])


def test_epochs_count_as_well(tmp_path):
    runner = runner_for(tmp_path, dict(warmup=1, shift=1, edge=1, joint=0, by_epoch=True, export=None), epochs=True)
    runner.train()
    assert watched(runner).seen == ["warmup"] * 3 + ["shift"] * 3 + ["edge"] * 3
    assert not (tmp_path / "edge_detector.pth").exists()
    assert torch.load(tmp_path / "epoch_2.pth", weights_only=False)["meta"]["pnt_edge"]["stage"] == "shift"


def test_a_detector_that_is_trained_needs_no_warm_up(trained, tmp_path):
    folder, _ = trained
    runner = runner_for(tmp_path, dict(warmup=0, shift=4), load_from=str(folder / "edge_detector.pth"))
    runner.train()
    assert watched(runner).seen == ["shift"] * 4 + ["edge"] + ["joint"] * 2


def test_stages_can_be_trainings_of_their_own(tmp_path):
    """Each begins with the weights of the one before and changes its own part."""
    last = None
    for stage in ("warmup", "shift", "edge"):
        folder = tmp_path / stage
        folder.mkdir()
        model = {**copy.deepcopy(MODEL), "stage": stage}
        before = None if last is None else torch.load(last, weights_only=False)["state_dict"]
        hooks = [dict(type="noisyseg.WatchStages")]
        runner = runner_for(folder, model=model, load_from=last and str(last), custom_hooks=hooks)
        runner.train()
        last = folder / "iter_7.pth"
        after = runner.model.state_dict()
        if before is not None:
            moved = {name.partition(".")[0] for name in after if not torch.equal(after[name], before[name])}
            assert moved == {"shift" if stage == "shift" else "detector"}


def test_a_distributed_training_has_to_search_for_unused_parameters(monkeypatch):
    monkeypatch.setattr("noisyseg.integration.segmentation.edges.pnt_edge_stages.is_model_wrapper", lambda model: True)
    loop = object.__new__(IterBasedTrainLoop)
    loop._max_iters = 7
    for searches in (True, False):
        model = SimpleNamespace(module=MODELS.build(copy.deepcopy(MODEL)), find_unused_parameters=searches)
        runner = SimpleNamespace(train_loop=loop, model=model)
        if searches:
            HOOKS.build(STAGES).before_train(runner)
            continue
        with pytest.raises(ValueError, match="expected find_unused_parameters=True"):
            HOOKS.build(STAGES).before_train(runner)


def test_a_detector_without_confidence_is_reported(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("noisyseg.integration.segmentation.edges.pnt_edge_stages.EARLY", 2)
    model = copy.deepcopy(MODEL)
    model["threshold"] = 0.999
    runner = runner_for(
        tmp_path,
        dict(warmup=0, shift=2, edge=1, joint=0),
        model=model,
        train_cfg=dict(type="mmengine.IterBasedTrainLoop", max_iters=2),
    )
    runner.logger.addHandler(caplog.handler)
    runner.train()
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert any("in 100% of the images the detector is confident of no edge" in message for message in warnings)
    assert any("are 3 together, but the training is 2: it ends in shift" in message for message in warnings)


@pytest.mark.parametrize(
    ("stages", "settings", "message"),
    [
        (dict(warmup=1), {}, "are 6 together, the training is 7"),
        (dict(by_epoch=True), {}, "does not fit to a IterBasedTrainLoop"),
        ({}, dict(model=copy.deepcopy(MODEL["detector"])), r"expected a model of type noisyseg\.PNTEdge"),
    ],
)
def test_what_does_not_fit_together_is_said_before_training(tmp_path, stages, settings, message):
    with pytest.raises(ValueError, match=message):
        runner_for(tmp_path, stages, **settings).train()


def test_a_checkpoint_of_another_stage_is_not_resumed(trained, tmp_path):
    folder, _ = trained
    with pytest.raises(ValueError, match=r"the checkpoint is at .*'shift'.*but the lengths here say .*'warmup'"):
        runner_for(tmp_path, dict(warmup=5, shift=1), load_from=str(folder / "iter_4.pth"), resume=True).train()
    with pytest.raises(ValueError, match="without a stage"):
        runner_for(tmp_path, load_from=str(folder / "edge_detector.pth"), resume=True).train()


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        (dict(warmup=-1, shift=1, edge=1), "warmup: expected a whole number"),
        (dict(warmup=1, shift=0.5, edge=1), "shift: expected a whole number"),
        (dict(warmup=0, shift=0, edge=0), "longer than 0"),
    ],
)
def test_wrong_lengths_say_what_was_expected(lengths, message):
    with pytest.raises(ValueError, match=message):
        HOOKS.build(dict(type="noisyseg.PNTEdgeStages", **lengths))


def train_one_rank(rank, folder):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"file://{folder}/store", world_size=2, rank=rank)
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(MODEL)).train()
    wrapped = DistributedDataParallel(model, broadcast_buffers=False, find_unused_parameters=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
    data, moved = Squares(), []
    for stage in ("warmup", "shift", "shift", "edge", "joint", "joint"):
        model.set_stage(stage)
        before = copy.deepcopy(model.state_dict())
        items = [data[2 * rank + index] for index in range(2)]
        inputs = torch.stack([item["inputs"] for item in items]) / 255
        losses = wrapped(inputs, [item["data_samples"] for item in items], mode="loss")
        optimizer.zero_grad()
        sum(value for name, value in losses.items() if "loss" in name).backward()
        optimizer.step()
        moved.append({name.partition(".")[0] for name, p in model.named_parameters() if (p != before[name]).any()})
    weights = {name: value.detach() for name, value in model.named_parameters()}
    torch.save((weights, moved), f"{folder}/{rank}.pth")
    torch.distributed.destroy_process_group()


def test_two_processes_learn_the_same(tmp_path):
    mp.spawn(train_one_rank, (str(tmp_path),), nprocs=2)
    (first, moved), (second, _) = (torch.load(tmp_path / f"{rank}.pth", weights_only=False) for rank in range(2))
    assert moved == [{"detector"}, {"shift"}, {"shift"}, {"detector"}, *[{"detector", "shift"}] * 2]
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
