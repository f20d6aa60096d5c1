"""Correction while training: with a model that knows the true labels, and with one that learns."""

import copy
import multiprocessing
import os
import shutil
import signal
import subprocess
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmengine.registry import MODELS, OPTIM_WRAPPERS
from mmengine.runner import Runner
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from noisyseg.integration.segmentation.label_correction_hook import LabelCorrectionHook
from noisyseg.integration.segmentation.train_iou_tracker import TrainIoUTracker
from noisyseg.labels import LabelError
from noisyseg.labels.store import LabelStore

STEP = 80
"""Grey level that stands for a class in the images."""
BLOCK = (slice(4, 9), slice(20, 26))


@pytest.fixture(autouse=True)
def quick_start(monkeypatch):
    """Leaves out what mmengine asks compilers and git, and the config's text in each checkpoint: seconds a test."""
    monkeypatch.setattr("mmengine.runner.runner.collect_env", dict)
    monkeypatch.setattr("mmengine.runner.runner.get_git_hash", str)
    monkeypatch.setattr(Config, "pretty_text", "")


@MODELS.register_module(name="TrackedKnowing", force=True)
class TrackedKnowing(BaseModel):
    """Predicts the true class that it reads off the pixel; while it trains, its IoU rises along ADELE's curve.

    ``gamma`` and the height are of that curve, for all classes; ``broken`` makes the predictions for new labels NaN.
    """

    def __init__(self, sure=50.0, gamma=1.0, height=0.9, epoch_iters=3, broken=False, **settings):
        super().__init__(**settings)
        self.sure, self.gamma, self.height, self.epoch_iters, self.broken = sure, gamma, height, epoch_iters, broken
        self.weight = torch.nn.Parameter(torch.ones(1))
        self.tracker = TrainIoUTracker(3, clean=False)
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))
        self.seen, self.predicted = [], []

    def forward(self, inputs, data_samples, mode):
        if mode == "loss":
            given = torch.cat([sample.gt_given_map.data for sample in data_samples]).long()
            share = self.height * (1 - np.exp(-(int(self.steps) + 0.5) / self.epoch_iters / self.gamma))
            learned = torch.arange(given[0].numel()).reshape(given.shape[1:]) % 100 < 100 * share
            self.tracker.update(torch.where(learned & (given < 3), given, 0), given)
            self.seen += [sample.gt_sem_seg.data.float().mean().item() for sample in data_samples]
            self.steps += 1
            return {"loss": (self.weight**2).sum()}
        self.predicted += [sample.metainfo["label_key"] for sample in data_samples]
        classes = (inputs[:, :1] / STEP).round().long()
        logits = self.sure * torch.zeros(len(inputs), 3, *inputs.shape[2:]).scatter_(1, classes, 1)
        logits = logits * float("nan") if self.broken else logits
        return [SegDataSample(seg_logits=PixelData(data=one), metainfo={}) for one in logits]


@OPTIM_WRAPPERS.register_module(name="HalfPrecision", force=True)
class HalfPrecision(OptimWrapper):
    """What mmengine's AmpOptimWrapper does on a GPU, which it refuses to do on a CPU."""

    @contextmanager
    def optim_context(self, model):
        with super().optim_context(model), torch.autocast("cpu", torch.bfloat16):
            yield


def write_images(root, wrong=(), count=5):
    """Images whose grey level is the true class; labels wrong in one block of some images; class 2 in odd ones only."""
    for folder in ("images", "labels"):
        (root / folder).mkdir(parents=True)
    for index in range(count):
        truth = np.zeros((24, 32), np.uint8)
        truth[6:18, 4 : 14 + index] = 1
        if index % 2:
            truth[16:22, 20:30] = 2
        given = truth.copy()
        if index in wrong:
            given[BLOCK] = 1 - given[BLOCK]
        given[0] = 255
        cv2.imwrite(str(root / "images" / f"{index}.png"), np.repeat(STEP * truth[..., None], 3, axis=2))
        cv2.imwrite(str(root / "labels" / f"{index}.png"), given)
    return root


def adele(**settings):
    """The policy, with a fixed trigger unless another is given."""
    trigger = settings.pop("trigger", dict(type="noisyseg.FixedTrigger", epochs=1))
    return dict(type="noisyseg.AdelePolicy", trigger=trigger, **settings)


CURVE = dict(type="noisyseg.CurveTrigger", min_pixels=0)


def config_of(data, work_dir, *, model=None, loop="epoch", steps=4, workers=0, flip=False, checkpoints=1, hook=None):
    """A training on batches of two, three iterations an epoch for five images."""
    by_epoch = loop == "epoch"
    pipeline = [
        dict(type="mmengine.LoadImageFromFile"),
        dict(type="mmseg.LoadAnnotations"),
        dict(type="noisyseg.LoadStoredLabels", keep_given=True),
        *([dict(type="mmseg.RandomFlip", prob=0.5)] if flip else []),
        dict(type="noisyseg.PackSegInputs", meta_keys=("img_path", "ori_shape", "img_shape", "label_key")),
    ]
    hook = dict(type="noisyseg.LabelCorrectionHook", progress=False, scales=(1.0,), flip=False) | (hook or {})
    hook.setdefault("policy", adele())
    return Config(
        dict(
            default_scope="mmseg",
            model=dict(
                data_preprocessor=dict(type="mmseg.SegDataPreProcessor", size=(24, 32)),
                **(model or dict(type="mmengine.TrackedKnowing")),
            ),
            work_dir=str(work_dir),
            train_dataloader=dict(
                batch_size=2,
                num_workers=workers,
                persistent_workers=workers > 0,
                sampler=dict(type=f"mmengine.{'DefaultSampler' if by_epoch else 'InfiniteSampler'}", shuffle=True),
                dataset=dict(
                    type="noisyseg.SegDataset",
                    data_root=str(data),
                    data_prefix=dict(img_path="images", seg_map_path="labels"),
                    metainfo=dict(classes=("a", "b", "c")),
                    img_suffix=".png",
                    serialize_data=False,
                    pipeline=pipeline,
                ),
            ),
            train_cfg=dict(type="mmengine.EpochBasedTrainLoop", max_epochs=steps)
            if by_epoch
            else dict(type="mmengine.IterBasedTrainLoop", max_iters=steps),
            optim_wrapper=dict(type="mmengine.OptimWrapper", optimizer=dict(type="SGD", lr=0.1, momentum=0.9)),
            default_hooks=dict(
                logger=dict(type="mmengine.LoggerHook", interval=1000),
                checkpoint=dict(
                    type="mmengine.CheckpointHook", by_epoch=by_epoch, interval=checkpoints, save_last=False
                ),
            ),
            custom_hooks=[hook, dict(type="noisyseg.RandomStateHook")],
            randomness=dict(seed=0, deterministic=True),
            log_level="WARNING",
        )
    )


def train(config, resume=None):
    config = config.copy()
    if resume is not None:
        config.resume, config.load_from = True, resume or None
    config.experiment_name = f"{os.getpid()}_{np.random.default_rng().integers(2**60)}"
    runner = Runner.from_cfg(config)
    runner.train()
    return runner


def hook_of(runner):
    return next(hook for hook in runner.hooks if isinstance(hook, LabelCorrectionHook))


def store_of(config):
    return LabelStore(f"{config.work_dir}/label_store")


def files(store):
    """The bytes of all files in versions, by name."""
    return {str(path.relative_to(store.root)): path.read_bytes() for path in sorted(store.root.glob("v*/**/*.*"))}


def hashes(folder):
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


class TestWhatIsCorrected:
    def test_wrong_blocks_become_right_and_given_labels_stay(self, tmp_path):
        data = write_images(tmp_path / "data", wrong=(1, 2))
        before = hashes(data / "labels")
        config = config_of(data, tmp_path / "work")
        runner = train(config)
        store = store_of(config)
        assert store.versions() == [1, 2, 3]  # after epochs 1, 2 and 3
        assert hashes(data / "labels") == before
        for version in (1, 2, 3):
            assert store.keys("labels", version) == {"1", "2"}
            assert store.lineage(version) == [version]  # each is made from the given labels
            for index in (1, 2):
                truth = cv2.imread(str(data / "images" / f"{index}.png"), 0) // STEP
                truth[0] = 255
                np.testing.assert_array_equal(store.get(str(index), "labels", version), truth)
        info = store.info(1)
        assert (info["epoch"], info["due"], info["changed_images"]) == (1, ["b", "c"], 2)
        assert info["changed"] == {
            "a": {"gained": 60, "lost": 0},
            "b": {"gained": 0, "lost": 60},
            "c": {"gained": 0, "lost": 0},
        }
        assert (store.current, hook_of(runner).due.tolist()) == (3, [False, True, True])

    def test_training_sees_them_from_the_next_epoch_on_with_any_number_of_workers(self, tmp_path):
        data = write_images(tmp_path / "data", wrong=(1, 2))
        seen = []
        for workers in (0, 4):
            seen.append(train(config_of(data, tmp_path / f"work{workers}", workers=workers)).model.seen)
        assert seen[0] == seen[1]
        first, second, third, _ = (sorted(seen[0][5 * epoch : 5 * epoch + 5]) for epoch in range(4))
        assert first == second != third

    def test_only_images_that_can_change_are_predicted(self, tmp_path):
        data = write_images(tmp_path / "data", count=6)
        for index in range(0, 6, 2):  # these have no class that will be due
            cv2.imwrite(str(data / "labels" / f"{index}.png"), np.full((24, 32), 1, np.uint8))
        trigger = dict(type="noisyseg.FixedTrigger", epochs={2: 0})
        runner = train(config_of(data, tmp_path / "work", steps=2, hook=dict(policy=adele(trigger=trigger))))
        assert runner.model.predicted == ["1", "3", "5"] * 2

    def test_without_reinit_a_version_builds_on_the_one_before(self, tmp_path):
        data = write_images(tmp_path / "data", wrong=(1,))
        config = config_of(data, tmp_path / "work", hook=dict(policy=adele(reinit=False)))
        train(config)
        store = store_of(config)
        assert store.lineage(3) == [3, 2, 1]
        assert [store.keys("labels", version) for version in (1, 2, 3)] == [{"1"}, set(), set()]
        assert store.get("1", "labels", 3) is not None

    def test_every_and_only_when_grown(self, tmp_path):
        data = write_images(tmp_path / "data", wrong=(1,))
        epochs = {}
        for name, settings in (("every", {"every": 2}), ("grown", {"only_when_grown": True})):
            trigger = dict(type="noisyseg.FixedTrigger", epochs={1: 0, 2: 2})
            hook = dict(policy=adele(trigger=trigger), **settings)
            config = config_of(data, tmp_path / name, hook=hook)
            train(config)
            store = store_of(config)
            epochs[name] = [store.info(version)["epoch"] for version in store.versions()]
        assert epochs == {"every": [1, 3], "grown": [0, 2]}


class TestTrigger:
    def test_the_curve_decides_alike_in_both_loops(self, tmp_path):
        data = write_images(tmp_path / "data", wrong=(1,))
        found = []
        for loop, steps in (("epoch", 7), ("iter", 21)):
            config = config_of(
                data, tmp_path / loop, loop=loop, steps=steps, hook=dict(policy=adele(trigger=CURVE), window_iters=3)
            )
            hook = hook_of(train(config))
            found.append((hook.due_epochs, hook.history.epochs.tolist(), files(store_of(config))["v0001/labels/1.png"]))
        assert found[0][0] in ({1: 3, 2: 3}, {1: 4, 2: 4})  # t* = 3.3 for beta = gamma = 1; IoU in steps of a column
        assert found[0][1] == [i + 0.5 for i in range(7)]
        assert found[0][0] == found[1][0]
        assert found[0][1:] == found[1][1:]

    def test_a_class_that_is_absent_and_curves_that_are_short_or_flat_are_not_due(self, tmp_path):
        data = write_images(tmp_path / "data", count=1)  # without class 2
        for name, model, steps in (("short", {}, 3), ("flat", {"height": 0.0}, 8)):
            config = config_of(
                data,
                tmp_path / name,
                model=dict(type="mmengine.TrackedKnowing", epoch_iters=1, **model),
                steps=steps,
                hook=dict(policy=adele(trigger=CURVE), window_iters=3),
            )
            runner = train(config)
            hook = hook_of(runner)
            assert not hook.due.any()
            assert "not in the data" in hook.verdicts[2].reason
            assert store_of(config).versions() == []

    def test_probing_counts_predictions_of_a_fixed_choice_of_images(self, tmp_path):
        data = write_images(tmp_path / "data", wrong=(0, 1, 2, 3, 4))
        hook = dict(counting="probe", probe_images=3, window_iters=3, policy=adele(trigger=CURVE))
        runner = train(config_of(data, tmp_path / "work", steps=2, hook=hook))
        history = hook_of(runner).history
        assert history.labelled().sum(axis=1).tolist() == [3 * 23 * 32] * 2
        np.testing.assert_array_equal(*history.iou())
        assert 0.5 < history.iou()[0, 1] < 1


UNET = dict(
    type="noisyseg.MultiScaleConsistency",
    scales=(1.0, 0.5),
    threshold=0.4,
    tracker={},
    segmentor=dict(
        type="mmseg.EncoderDecoder",
        backbone=dict(
            type="mmseg.UNet",
            base_channels=4,
            num_stages=2,
            strides=(1, 1),
            enc_num_convs=(1, 1),
            dec_num_convs=(1,),
            downsamples=(True,),
            enc_dilations=(1, 1),
            dec_dilations=(1,),
            norm_cfg=dict(type="mmengine.BN"),
        ),
        decode_head=dict(
            type="mmseg.FCNHead",
            in_channels=4,
            in_index=1,
            channels=4,
            num_convs=1,
            num_classes=3,
            dropout_ratio=0.1,
            norm_cfg=dict(type="mmengine.BN"),
            align_corners=False,
            loss_decode=dict(type="noisyseg.CrossEntropy"),
        ),
        test_cfg=dict(mode="whole"),
    ),
)
GROUPS = Config(UNET).copy().to_dict()
for part in ("backbone", "decode_head"):
    GROUPS["segmentor"][part]["norm_cfg"] = dict(type="mmengine.GN", num_groups=2)
GROUPS["segmentor"]["decode_head"]["dropout_ratio"] = 0.0
SURE = dict(name="default", tau=0.34, guard=False, present_only=False)
LEARNED = dict(policy=adele(rule=SURE), scales=(0.5, 1.0), flip=True, temperature=0.05, window_iters=2)
"""Of a model that has hardly learned: it has to be sure of itself, and free, to change anything."""


class Killer(Hook):
    """Kills the process at one iteration, or when so many files have been written."""

    priority = 95

    def __init__(self, iteration=None, files=None):
        self.iteration, self.files = iteration, files

    def before_train(self, runner):
        if self.files is None:
            return
        put, left = LabelStore.put, [self.files]

        def counted(*args):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            put(*args)

        LabelStore.put = counted

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.iteration:
            os.kill(os.getpid(), signal.SIGKILL)


def _train_until_killed(config, settings):
    config.experiment_name = f"killed_{os.getpid()}"
    runner = Runner.from_cfg(config)
    runner.register_hook(Killer(**settings))
    runner.train()


def killed(config, **settings):
    """Trains in a process that dies by SIGKILL."""
    process = multiprocessing.get_context("fork").Process(target=_train_until_killed, args=(config, settings))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL


class TestResuming:
    def config(self, tmp_path, name, loop="epoch"):
        data = tmp_path / "data"
        if not data.exists():
            write_images(data, wrong=(1, 3), count=6)
        steps, checkpoints = {"epoch": (5, 1), "iter": (15, 4)}[loop]  # the latter amid windows and epochs
        return config_of(
            data, tmp_path / name, model=UNET, loop=loop, steps=steps, flip=True, checkpoints=checkpoints, hook=LEARNED
        )

    @pytest.mark.parametrize(
        ("loop", "death"),
        [
            ("epoch", {"iteration": 8}),  # before the first version
            ("epoch", {"files": 9}),  # while a later version is written
            ("iter", {"iteration": 11}),  # amid an epoch
            ("iter", {"files": 3}),
        ],
    )
    def test_a_killed_and_resumed_training_is_the_uninterrupted_one(self, tmp_path, loop, death):
        whole, broken = (self.config(tmp_path, name, loop) for name in ("whole", "broken"))
        expected = train(whole)
        killed(broken, **death)
        found = train(broken, resume="")
        assert len(files(store_of(whole))) > 8
        assert files(store_of(whole)) == files(store_of(broken))
        assert hook_of(expected).history.state() == hook_of(found).history.state()
        assert hook_of(expected).due_epochs == hook_of(found).due_epochs
        for name, tensor in expected.model.state_dict().items():
            assert torch.equal(tensor, found.model.state_dict()[name]), name

    def test_an_earlier_checkpoint_puts_its_version_back_and_later_versions_stay(self, tmp_path):
        config = self.config(tmp_path, "work")
        train(config)
        store = store_of(config)
        before = files(store)
        for epoch, version in ((1, 0), (2, 1), (3, 2)):
            checkpoint = torch.load(f"{config.work_dir}/epoch_{epoch}.pth", weights_only=False)
            assert checkpoint["noisyseg_label_correction"]["version"] == version
        again = copy.deepcopy(config)
        again.custom_hooks[0].policy.rule.tau = 0.9
        train(again, resume=f"{config.work_dir}/epoch_3.pth")
        assert {name: files(store)[name] for name in before} == before
        assert store.versions() == [1, 2, 3, 4, 5, 6]
        assert store.current == 6

    def test_a_version_that_is_gone_is_an_error(self, tmp_path):
        config = self.config(tmp_path, "work")
        train(config)
        (store_of(config).root / "v0001" / "manifest.json").unlink()
        with pytest.raises(LabelError, match=r"v0001/manifest\.json: this version is not there"):
            train(config, resume=f"{config.work_dir}/epoch_2.pth")

    def test_what_does_not_go_with_the_checkpoint_is_refused(self, tmp_path):
        config = self.config(tmp_path, "work", "iter")
        train(config)
        other = copy.deepcopy(config)
        other.train_dataloader.batch_size = 3
        with pytest.raises(ValueError, match="expected epochs of 3 iterations, as in the checkpoint, got 2"):
            train(other, resume="")
        plain = copy.deepcopy(config)
        plain.custom_hooks = []
        plain.work_dir = str(tmp_path / "plain")
        plain.train_dataloader.dataset.pipeline[2].store = str(store_of(config).root)
        train(plain)
        with pytest.raises(ValueError, match="saved without LabelCorrectionHook; start from it with load_from"):
            train(config, resume=f"{plain.work_dir}/iter_4.pth")


def _train_one_of_two(config, rank, meeting):
    torch.set_num_threads(1)
    os.environ["LOCAL_RANK"] = str(rank)
    torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    puts, put = [], LabelStore.put

    def counted(store, key, kind, value, version):
        puts.append(f"{version} {kind} {key}")
        put(store, key, kind, value, version)

    LabelStore.put = counted
    config.experiment_name = f"two_{meeting.parent.name}"
    runner = Runner.from_cfg(config)
    runner.train()
    Path(f"{config.work_dir}/puts{rank}.txt").write_text("\n".join(puts))
    torch.save(hook_of(runner).history.state(), f"{config.work_dir}/history{rank}.pth")


def in_two_processes(config, meeting):
    config = config.copy()
    config.launcher = "pytorch"
    config.model_wrapper_cfg = dict(type="mmengine.MMDistributedDataParallel", device_ids=None)  # the CPU
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_train_one_of_two, args=(config, rank, meeting)) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]


class TestTwoProcesses:
    @pytest.fixture
    def pair(self, tmp_path):
        """One training with batches of four, and the same with two batches of two."""
        data = write_images(tmp_path / "data", wrong=(1, 3), count=8)
        alone, two = (
            config_of(data, tmp_path / name, model=GROUPS, steps=4, hook=LEARNED | {"window_iters": 1})
            for name in ("alone", "two")
        )
        alone.train_dataloader.batch_size = 4
        return alone, two

    def test_labels_and_history_are_those_of_one(self, tmp_path, pair):
        alone, two = pair
        expected = hook_of(train(alone)).history.state()
        in_two_processes(two, tmp_path / "meeting")
        for rank in range(2):
            assert torch.load(tmp_path / "two" / f"history{rank}.pth", weights_only=True) == expected
        found, own = (
            {name: held for name, held in files(store_of(config)).items() if "manifest" not in name}
            for config in (two, alone)
        )
        assert len(own) > 8
        assert found == own
        puts = [(tmp_path / "two" / f"puts{rank}.txt").read_text().split("\n") for rank in range(2)]
        assert not set(puts[0]) & set(puts[1])
        assert len(set(puts[0] + puts[1])) == len(puts[0] + puts[1])

    def test_resuming_amid_an_epoch_keeps_the_counts_of_both(self, tmp_path):
        data = write_images(tmp_path / "data", wrong=(1, 3), count=8)
        model = dict(type="mmengine.TrackedKnowing")
        settings = dict(model=model, loop="iter", checkpoints=3, hook=dict(window_iters=2, epoch_iters=4))
        whole, broken = (config_of(data, tmp_path / name, steps=8, **settings) for name in ("whole", "broken"))
        in_two_processes(whole, tmp_path / "meeting")
        short = copy.deepcopy(broken)
        short.train_cfg.max_iters = 3
        in_two_processes(short, tmp_path / "second")
        broken.resume = True
        in_two_processes(broken, tmp_path / "third")
        states = [torch.load(tmp_path / name / "history0.pth", weights_only=True) for name in ("whole", "broken")]
        assert states[0] == states[1]
        assert len(states[0]["epochs"]) == 4


class TestHostFeatures:
    @pytest.mark.parametrize(
        "optim",
        [
            dict(type="mmengine.HalfPrecision"),
            dict(type="mmengine.OptimWrapper", accumulative_counts=2),
        ],
    )
    def test_half_precision_and_accumulated_gradients(self, tmp_path, optim):
        config = config_of(write_images(tmp_path / "data", wrong=(1,)), tmp_path / "work", model=UNET, hook=LEARNED)
        config.optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.1), **optim)
        runner = train(config)
        assert store_of(config).versions() == [1, 2, 3]
        assert hook_of(runner).history.labelled().sum() == 4 * 5 * 23 * 32
        assert all(torch.isfinite(tensor).all() for tensor in runner.model.state_dict().values())

    def test_labels_that_the_host_reduces(self, tmp_path):
        data = write_images(tmp_path / "data", wrong=(1,))
        for path in (data / "labels").iterdir():
            labels = cv2.imread(str(path), 0)
            cv2.imwrite(str(path), np.where(labels == 255, 0, labels + 1).astype(np.uint8))
        config = config_of(data, tmp_path / "work", steps=2)
        config.train_dataloader.dataset.reduce_zero_label = True
        config.train_dataloader.dataset.pipeline[1].reduce_zero_label = True
        runner = train(config)
        truth = cv2.imread(str(data / "images" / "1.png"), 0) // STEP
        truth[0] = 255
        np.testing.assert_array_equal(store_of(config).get("1", "labels", 1), truth)
        assert runner.model.seen

    def test_averaged_weights_predict_where_asked_for(self, tmp_path):
        config = config_of(
            write_images(tmp_path / "data", wrong=(1,)), tmp_path / "work", hook=dict(source="ema"), steps=2
        )
        config.custom_hooks.append(dict(type="mmengine.EMAHook", momentum=0.5))
        assert train(config).model.predicted == []  # the other model did
        assert store_of(config).keys("labels", 1) == {"1"}


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("this user may not mount a file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


class TestFaults:
    def trained(self, tmp_path, **settings):
        config = config_of(write_images(tmp_path / "data", wrong=(1, 2)), tmp_path / "work", **settings)
        train(config)
        return config

    @pytest.mark.parametrize("damage", ["deleted", "truncated"])
    def test_a_stored_file_that_goes_missing_or_breaks_stops_the_training(self, tmp_path, damage):
        config = self.trained(tmp_path, steps=2)
        path = store_of(config).root / "v0001" / "labels" / "1.png"
        if damage == "deleted":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:40])
        config.train_cfg.max_epochs = 4
        with pytest.raises(LabelError, match=r"v0001/labels/1\.png"):
            train(config, resume="")

    def test_given_labels_that_change_are_noticed(self, tmp_path):
        config = self.trained(tmp_path, steps=2)
        cv2.imwrite(str(tmp_path / "data" / "labels" / "0.png"), np.zeros((24, 32), np.uint8))
        config.train_cfg.max_epochs = 4
        with pytest.raises(LabelError, match=r"given\.json: this store was made for other given labels: hash"):
            train(config, resume="")

    def test_predictions_that_are_no_numbers_stop_the_training_with_the_image_named(self, tmp_path):
        model = dict(type="mmengine.TrackedKnowing", broken=True)
        with pytest.raises(LabelError, match=r"images/1\.png \(epoch 1: labels corrected\)|images/0\.png"):
            self.trained(tmp_path, model=model)
        store = LabelStore(tmp_path / "work" / "label_store")
        assert store.versions() == []
        assert store.current == 0

    def test_a_full_disk_stops_the_training_which_goes_on_when_there_is_room(self, tmp_path, small_disk):
        data = write_images(tmp_path / "data", wrong=range(5))
        before = hashes(data / "labels")
        config = config_of(data, tmp_path / "work", hook=dict(store=str(small_disk / "store")))
        (small_disk / "filler").write_bytes(bytes(240_000))
        with pytest.raises(OSError, match="No space left on device"):
            train(config)
        store = LabelStore(small_disk / "store")
        assert store.versions() == []
        assert store.current == 0
        (small_disk / "filler").unlink()
        train(config, resume="")
        assert store.versions()[-1] == 3
        assert len(store.keys("labels", 3)) == 5
        assert hashes(data / "labels") == before

    def test_two_images_with_one_key(self, tmp_path):
        data = write_images(tmp_path / "data", count=2)
        for folder in ("images", "labels"):
            (data / folder / "sub").mkdir()
            (data / folder / "0.png").rename(data / folder / "sub" / "1.png")
        with pytest.raises(LabelError, match=r"expected one image for each key, got 2 with '1'; img_dir=\.\.\."):
            train(config_of(data, tmp_path / "work"))

    @pytest.mark.parametrize(
        ("settings", "problem"),
        [
            ({"every": 0}, "every: expected a number >= 1, got 0"),
            ({"window_iters": 0}, "window_iters: expected a number >= 1, got 0"),
            ({"source": "mine"}, "source: expected one of self, ema, not 'mine'"),
            ({"counting": "hope"}, "counting: expected one of train, probe, not 'hope'"),
            ({"probe_images": 0}, "probe_images: expected a number >= 1, got 0"),
            ({"scales": ()}, r"scales: expected numbers in \(0, 16\], at least one, got \(\)"),
            ({"merge": "max"}, "merge: expected one of prob, logit, not 'max'"),
            ({"temperature": -1}, "temperature: expected a number > 0, got -1"),
            ({"dataloader": {"batch_size": 2}}, "expected dataset and num_workers alone"),
        ],
    )
    def test_settings(self, settings, problem):
        with pytest.raises(ValueError, match=problem):
            LabelCorrectionHook(adele(), **settings)

    def test_what_is_missing_is_told_when_the_training_starts(self, tmp_path):
        data = write_images(tmp_path / "data")
        config = config_of(data, tmp_path / "work", model=UNET["segmentor"])
        with pytest.raises(ValueError, match="EncoderDecoder counts nothing; expected a model of type"):
            train(config)
        config = config_of(data, tmp_path / "work", hook=dict(source="ema"))
        with pytest.raises(ValueError, match="source='ema' needs"):
            train(config)
        config = config_of(data, tmp_path / "work", hook=dict(epoch_iters=3))
        with pytest.raises(ValueError, match="epoch_iters: expected None, because this training counts epochs"):
            train(config)
        config = config_of(data, tmp_path / "work")
        del config.train_dataloader.dataset.pipeline[2]
        with pytest.raises(ValueError, match="LabelCorrectionHook: the training pipeline has no step that reads"):
            train(config)
