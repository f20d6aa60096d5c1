"""Correction while training: with a model that knows the true labels, and with one that learns."""

import copy
import shutil
import subprocess
from contextlib import contextmanager
from hashlib import sha256

import cv2
import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmengine.registry import HOOKS, MODELS, OPTIM_WRAPPERS
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from noisyseg.integration.segmentation.label_correction_hook import LabelCorrectionHook
from noisyseg.integration.segmentation.train_iou_tracker import TrainIoUTracker
from noisyseg.labels import LabelError
from noisyseg.labels.store import LabelStore

STEP = 80
"""Grey level that stands for a class in the images."""
BLOCK = (slice(4, 9), slice(20, 26))


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


@pytest.fixture
def config_of(runs):
    """Returns a function that returns the config of a training, three iterations an epoch for five images."""

    def build(data, work_dir, *, model=None, flip=False, checkpoints=1, hook=None, **settings):
        pipeline = [
            dict(type="mmengine.LoadImageFromFile"),
            dict(type="mmseg.LoadAnnotations"),
            dict(type="noisyseg.LoadStoredLabels", keep_given=True),
            *([dict(type="mmseg.RandomFlip", prob=0.5)] if flip else []),
            dict(type="noisyseg.PackSegInputs", meta_keys=("img_path", "ori_shape", "img_shape", "label_key")),
        ]
        hook = dict(type="noisyseg.LabelCorrectionHook", progress=False, scales=(1.0,), flip=False) | (hook or {})
        hook.setdefault("policy", adele())
        return runs.config(
            work_dir,
            scope="mmseg",
            model=dict(
                data_preprocessor=dict(type="mmseg.SegDataPreProcessor", size=(24, 32)),
                **(model or dict(type="mmengine.TrackedKnowing")),
            ),
            dataset=dict(
                type="noisyseg.SegDataset",
                data_root=str(data),
                data_prefix=dict(img_path="images", seg_map_path="labels"),
                metainfo=dict(classes=("a", "b", "c")),
                img_suffix=".png",
                pipeline=pipeline,
            ),
            hooks=[hook, dict(type="noisyseg.RandomStateHook")],
            checkpoints=checkpoints,
            **settings,
        )

    return build


def hook_of(runner):
    return next(hook for hook in runner.hooks if isinstance(hook, LabelCorrectionHook))


def hashes(folder):
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


class TestWhatIsCorrected:
    def test_wrong_blocks_become_right_and_given_labels_stay(self, tmp_path, runs, config_of):
        data = write_images(tmp_path / "data", wrong=(1, 2))
        before = hashes(data / "labels")
        config = config_of(data, tmp_path / "work")
        runner = runs.train(config)
        store = runs.store_of(config)
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

    def test_training_sees_them_from_the_next_epoch_on_with_any_number_of_workers(self, tmp_path, runs, config_of):
        data = write_images(tmp_path / "data", wrong=(1, 2))
        seen = []
        for workers in (0, 4):
            seen.append(runs.train(config_of(data, tmp_path / f"work{workers}", workers=workers)).model.seen)
        assert seen[0] == seen[1]
        first, second, third, _ = (sorted(seen[0][5 * epoch : 5 * epoch + 5]) for epoch in range(4))
        assert first == second != third

    def test_only_images_that_can_change_are_predicted(self, tmp_path, runs, config_of):
        data = write_images(tmp_path / "data", count=6)
        for index in range(0, 6, 2):  # these have no class that will be due
            cv2.imwrite(str(data / "labels" / f"{index}.png"), np.full((24, 32), 1, np.uint8))
        trigger = dict(type="noisyseg.FixedTrigger", epochs={2: 0})
        runner = runs.train(config_of(data, tmp_path / "work", steps=2, hook=dict(policy=adele(trigger=trigger))))
        assert runner.model.predicted == ["1", "3", "5"] * 2

    def test_without_reinit_a_version_builds_on_the_one_before(self, tmp_path, runs, config_of):
        data = write_images(tmp_path / "data", wrong=(1,))
        config = config_of(data, tmp_path / "work", hook=dict(policy=adele(reinit=False)))
        runs.train(config)
        store = runs.store_of(config)
        assert store.lineage(3) == [3, 2, 1]
        assert [store.keys("labels", version) for version in (1, 2, 3)] == [{"1"}, set(), set()]
        assert store.get("1", "labels", 3) is not None

    def test_every_and_only_when_grown(self, tmp_path, runs, config_of):
        data = write_images(tmp_path / "data", wrong=(1,))
        epochs = {}
        for name, settings in (("every", {"every": 2}), ("grown", {"only_when_grown": True})):
            trigger = dict(type="noisyseg.FixedTrigger", epochs={1: 0, 2: 2})
            hook = dict(policy=adele(trigger=trigger), **settings)
            config = config_of(data, tmp_path / name, hook=hook)
            runs.train(config)
            store = runs.store_of(config)
            epochs[name] = [store.info(version)["epoch"] for version in store.versions()]
        assert epochs == {"every": [1, 3], "grown": [0, 2]}


@HOOKS.register_module(name="WatchBatches", force=True)
class WatchBatches(Hook):
    """Keeps what a training sees: the epoch, the key, and the image, the labels in force and the given ones."""

    def __init__(self):
        self.seen = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        for image, sample in zip(data_batch["inputs"], data_batch["data_samples"], strict=True):
            maps = (image[0], sample.gt_sem_seg.data[0], sample.gt_given_map.data[0])
            self.seen.append((runner.epoch, sample.label_key, *(pixels.numpy() for pixels in maps)))


class TestCrops:
    def test_labels_in_force_move_with_the_crop_and_corrected_ones_are_of_whole_images(self, tmp_path, runs, config_of):
        data = write_images(tmp_path / "data", wrong=(1, 2))
        config = config_of(data, tmp_path / "work", flip=True)
        config.train_dataloader.dataset.pipeline.insert(3, dict(type="mmseg.RandomCrop", crop_size=(16, 20)))
        config.model.data_preprocessor.size = (16, 20)
        config.custom_hooks.append(dict(type="mmengine.WatchBatches"))
        runner = runs.train(config)
        store = runs.store_of(config)
        for version in store.versions():
            assert store.keys("labels", version) == {"1", "2"}
            for key in ("1", "2"):
                truth = cv2.imread(str(data / "images" / f"{key}.png"), 0) // STEP
                truth[0] = 255
                np.testing.assert_array_equal(store.get(key, "labels", version), truth)
        seen = next(hook for hook in runner.hooks if isinstance(hook, WatchBatches)).seen
        crops, wrong = set(), np.zeros(4, int)
        for epoch, key, grey, labels, given in seen:
            assert grey.shape == labels.shape == given.shape == (16, 20)
            truth = np.where(given == 255, 255, grey // STEP)
            np.testing.assert_array_equal(labels, given if epoch < 2 else truth)
            assert (given == truth).all() or key in ("1", "2")
            wrong[epoch] += (given != truth).sum()
            crops.add((key, grey.tobytes(), given.tobytes()))
        assert (wrong > 0).all()
        assert len(seen) == 20
        assert len(crops) > 15  # at other places in each epoch


class TestTensorBoard:
    @pytest.mark.parametrize(("loop", "steps"), [("epoch", 4), ("iter", 12)])
    def test_curves_and_pictures_are_in_its_files(self, tmp_path, runs, config_of, loop, steps):
        pytest.importorskip("tensorboard", reason="tensorboard is not installed")
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        data = write_images(tmp_path / "data", wrong=(1,))
        config = config_of(data, tmp_path / "work", loop=loop, steps=steps, hook=dict(window_iters=3))
        backends = [dict(type="mmengine.LocalVisBackend"), dict(type="mmengine.TensorboardVisBackend")]
        config.visualizer = dict(type="mmengine.Visualizer", vis_backends=backends)
        runner = runs.train(config)
        runner.visualizer.close()
        (folder,) = (tmp_path / "work").glob("*/vis_data")
        events = EventAccumulator(str(folder)).Reload()
        history = hook_of(runner).history
        expected = {f"iou_given/{name}": history.iou()[:, c] for c, name in enumerate("abc")}
        expected |= {"labels/version": [0, 1, 2, 3], "labels/due_classes": [0, 2, 2, 2]}
        for name, values in expected.items():
            found = events.Scalars(name)
            assert [event.step for event in found] == [3, 6, 9, 12]
            np.testing.assert_allclose([event.value for event in found], values, rtol=1e-6)
        assert [event.step for event in events.Images("label_correction")] == [
            6,
            12,
        ]  # classes due; the end


class TestTrigger:
    def test_the_curve_decides_alike_in_both_loops(self, tmp_path, runs, config_of):
        data = write_images(tmp_path / "data", wrong=(1,))
        found = []
        for loop, steps in (("epoch", 7), ("iter", 21)):
            config = config_of(
                data, tmp_path / loop, loop=loop, steps=steps, hook=dict(policy=adele(trigger=CURVE), window_iters=3)
            )
            hook = hook_of(runs.train(config))
            found.append(
                (hook.due_epochs, hook.history.epochs.tolist(), runs.files(runs.store_of(config))["v0001/labels/1.png"])
            )
        assert found[0][0] in ({1: 3, 2: 3}, {1: 4, 2: 4})  # t* = 3.3 for beta = gamma = 1; IoU in steps of a column
        assert found[0][1] == [i + 0.5 for i in range(7)]
        assert found[0][0] == found[1][0]
        assert found[0][1:] == found[1][1:]

    def test_a_class_that_is_absent_and_curves_that_are_short_or_flat_are_not_due(self, tmp_path, runs, config_of):
        data = write_images(tmp_path / "data", count=1)  # without class 2
        for name, model, steps in (("short", {}, 3), ("flat", {"height": 0.0}, 8)):
            config = config_of(
                data,
                tmp_path / name,
                model=dict(type="mmengine.TrackedKnowing", epoch_iters=1, **model),
                steps=steps,
                hook=dict(policy=adele(trigger=CURVE), window_iters=3),
            )
            runner = runs.train(config)
            hook = hook_of(runner)
            assert not hook.due.any()
            assert "not in the data" in hook.verdicts[2].reason
            assert runs.store_of(config).versions() == []

    def test_probing_counts_predictions_of_a_fixed_choice_of_images(self, tmp_path, runs, config_of):
        data = write_images(tmp_path / "data", wrong=(0, 1, 2, 3, 4))
        hook = dict(counting="probe", probe_images=3, window_iters=3, policy=adele(trigger=CURVE))
        runner = runs.train(config_of(data, tmp_path / "work", steps=2, hook=hook))
        history = hook_of(runner).history
        assert history.labelled().sum(axis=1).tolist() == [3 * 23 * 32] * 2
        np.testing.assert_array_equal(*history.iou())
        assert 0.5 < history.iou()[0, 1] < 1


@pytest.fixture
def tracked_unet(small_unet):
    """Returns a function that returns the config of a U-Net that learns at two scales and counts what it predicts."""

    def build(**settings):
        unet = small_unet(**settings)
        return dict(type="noisyseg.MultiScaleConsistency", scales=(1.0, 0.5), threshold=0.4, tracker={}, segmentor=unet)

    return build


SURE = dict(name="default", tau=0.34, guard=False, present_only=False)
LEARNED = dict(policy=adele(rule=SURE), scales=(0.5, 1.0), flip=True, temperature=0.05, window_iters=2)
"""Of a model that has hardly learned: it has to be sure of itself, and free, to change anything."""


class TestResuming:
    @pytest.fixture
    def make_config(self, tmp_path, config_of, tracked_unet):
        data = write_images(tmp_path / "data", wrong=(1, 3), count=6)

        def make(name, loop="epoch"):
            steps, checkpoints = {"epoch": (5, 1), "iter": (15, 4)}[loop]  # the latter amid windows and epochs
            settings = dict(loop=loop, steps=steps, checkpoints=checkpoints)
            return config_of(data, tmp_path / name, model=tracked_unet(), flip=True, hook=LEARNED, **settings)

        return make

    @pytest.mark.parametrize(
        ("loop", "death"),
        [
            ("epoch", {"iteration": 8}),  # before the first version
            ("epoch", {"files": 9}),  # while a later version is written
            ("iter", {"iteration": 11}),  # amid an epoch
            ("iter", {"files": 3}),
        ],
    )
    def test_a_killed_and_resumed_training_is_the_uninterrupted_one(self, loop, death, runs, make_config):
        whole, broken = (make_config(name, loop) for name in ("whole", "broken"))
        expected = runs.train(whole)
        runs.killed(broken, **death)
        found = runs.train(broken, resume="")
        assert len(runs.files(runs.store_of(whole))) > 8
        assert runs.files(runs.store_of(whole)) == runs.files(runs.store_of(broken))
        assert hook_of(expected).history.state() == hook_of(found).history.state()
        assert hook_of(expected).due_epochs == hook_of(found).due_epochs
        for name, tensor in expected.model.state_dict().items():
            assert torch.equal(tensor, found.model.state_dict()[name]), name

    def test_an_earlier_checkpoint_puts_its_version_back_and_later_versions_stay(self, runs, make_config):
        config = make_config("work")
        runs.train(config)
        store = runs.store_of(config)
        before = runs.files(store)
        for epoch, version in ((1, 0), (2, 1), (3, 2)):
            checkpoint = torch.load(f"{config.work_dir}/epoch_{epoch}.pth", weights_only=False)
            assert checkpoint["noisyseg_label_correction"]["version"] == version
        again = copy.deepcopy(config)
        again.custom_hooks[0].policy.rule.tau = 0.9
        runs.train(again, resume=f"{config.work_dir}/epoch_3.pth")
        assert {name: runs.files(store)[name] for name in before} == before
        assert store.versions() == [1, 2, 3, 4, 5, 6]
        assert store.current == 6

    def test_a_version_that_is_gone_is_an_error(self, runs, make_config):
        config = make_config("work")
        runs.train(config)
        (runs.store_of(config).root / "v0001" / "manifest.json").unlink()
        with pytest.raises(LabelError, match=r"v0001/manifest\.json: this version is not there"):
            runs.train(config, resume=f"{config.work_dir}/epoch_2.pth")

    def test_what_does_not_go_with_the_checkpoint_is_refused(self, tmp_path, runs, make_config):
        config = make_config("work", "iter")
        runs.train(config)
        other = copy.deepcopy(config)
        other.train_dataloader.batch_size = 3
        with pytest.raises(ValueError, match="expected epochs of 3 iterations, as in the checkpoint, got 2"):
            runs.train(other, resume="")
        plain = copy.deepcopy(config)
        plain.custom_hooks = []
        plain.work_dir = str(tmp_path / "plain")
        plain.train_dataloader.dataset.pipeline[2].store = str(runs.store_of(config).root)
        runs.train(plain)
        with pytest.raises(ValueError, match="saved without LabelCorrectionHook; start from it with load_from"):
            runs.train(config, resume=f"{plain.work_dir}/iter_4.pth")


def save_history(runner, rank):
    torch.save(hook_of(runner).history.state(), f"{runner.work_dir}/history{rank}.pth")


class TestTwoProcesses:
    @pytest.fixture
    def pair(self, tmp_path, config_of, tracked_unet):
        """One training with batches of four, and the same with two batches of two."""
        data = write_images(tmp_path / "data", wrong=(1, 3), count=8)
        unet = tracked_unet(norm=dict(type="mmengine.GN", num_groups=2), dropout_ratio=0.0)
        alone, two = (
            config_of(data, tmp_path / name, model=unet, steps=4, hook=LEARNED | {"window_iters": 1})
            for name in ("alone", "two")
        )
        alone.train_dataloader.batch_size = 4
        return alone, two

    def test_labels_and_history_are_those_of_one(self, tmp_path, pair, runs):
        alone, two = pair
        expected = hook_of(runs.train(alone)).history.state()
        puts = runs.in_two_processes(two, tmp_path / "meeting", save_history)
        for rank in range(2):
            assert torch.load(tmp_path / "two" / f"history{rank}.pth", weights_only=True) == expected
        found, own = (
            {name: held for name, held in runs.files(runs.store_of(config)).items() if "manifest" not in name}
            for config in (two, alone)
        )
        assert len(own) > 8
        assert found == own
        assert not set(puts[0]) & set(puts[1])
        assert len(set(puts[0] + puts[1])) == len(puts[0] + puts[1])

    def test_resuming_amid_an_epoch_keeps_the_counts_of_both(self, tmp_path, runs, config_of):
        data = write_images(tmp_path / "data", wrong=(1, 3), count=8)
        model = dict(type="mmengine.TrackedKnowing")
        settings = dict(model=model, loop="iter", checkpoints=3, hook=dict(window_iters=2, epoch_iters=4))
        whole, broken = (config_of(data, tmp_path / name, steps=8, **settings) for name in ("whole", "broken"))
        runs.in_two_processes(whole, tmp_path / "meeting", save_history)
        short = copy.deepcopy(broken)
        short.train_cfg.max_iters = 3
        runs.in_two_processes(short, tmp_path / "second", save_history)
        broken.resume = True
        runs.in_two_processes(broken, tmp_path / "third", save_history)
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
    def test_half_precision_and_accumulated_gradients(self, tmp_path, optim, runs, config_of, tracked_unet):
        config = config_of(
            write_images(tmp_path / "data", wrong=(1,)), tmp_path / "work", model=tracked_unet(), hook=LEARNED
        )
        config.optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.1), **optim)
        runner = runs.train(config)
        assert runs.store_of(config).versions() == [1, 2, 3]
        assert hook_of(runner).history.labelled().sum() == 4 * 5 * 23 * 32
        assert all(torch.isfinite(tensor).all() for tensor in runner.model.state_dict().values())

    def test_labels_that_the_host_reduces(self, tmp_path, runs, config_of):
        data = write_images(tmp_path / "data", wrong=(1,))
        for path in (data / "labels").iterdir():
            labels = cv2.imread(str(path), 0)
            cv2.imwrite(str(path), np.where(labels == 255, 0, labels + 1).astype(np.uint8))
        config = config_of(data, tmp_path / "work", steps=2)
        config.train_dataloader.dataset.reduce_zero_label = True
        config.train_dataloader.dataset.pipeline[1].reduce_zero_label = True
        runner = runs.train(config)
        truth = cv2.imread(str(data / "images" / "1.png"), 0) // STEP
        truth[0] = 255
        np.testing.assert_array_equal(runs.store_of(config).get("1", "labels", 1), truth)
        assert runner.model.seen

    def test_averaged_weights_predict_where_asked_for(self, tmp_path, runs, config_of):
        config = config_of(
            write_images(tmp_path / "data", wrong=(1,)), tmp_path / "work", hook=dict(source="ema"), steps=2
        )
        config.custom_hooks.append(dict(type="mmengine.EMAHook", momentum=0.5))
        assert runs.train(config).model.predicted == []  # the other model did
        assert runs.store_of(config).keys("labels", 1) == {"1"}


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
    @pytest.fixture
    def trained(self, tmp_path, runs, config_of):
        def build(**settings):
            config = config_of(write_images(tmp_path / "data", wrong=(1, 2)), tmp_path / "work", **settings)
            runs.train(config)
            return config

        return build

    @pytest.mark.parametrize("damage", ["deleted", "truncated"])
    def test_a_stored_file_that_goes_missing_or_breaks_stops_the_training(self, damage, runs, trained):
        config = trained(steps=2)
        path = runs.store_of(config).root / "v0001" / "labels" / "1.png"
        if damage == "deleted":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:40])
        config.train_cfg.max_epochs = 4
        with pytest.raises(LabelError, match=r"v0001/labels/1\.png"):
            runs.train(config, resume="")

    def test_given_labels_that_change_are_noticed(self, tmp_path, runs, trained):
        config = trained(steps=2)
        cv2.imwrite(str(tmp_path / "data" / "labels" / "0.png"), np.zeros((24, 32), np.uint8))
        config.train_cfg.max_epochs = 4
        with pytest.raises(LabelError, match=r"given\.json: this store was made for other given labels: hash"):
            runs.train(config, resume="")

    def test_predictions_that_are_no_numbers_stop_the_training_with_the_image_named(self, tmp_path, trained):
        model = dict(type="mmengine.TrackedKnowing", broken=True)
        with pytest.raises(LabelError, match=r"images/1\.png \(epoch 1: labels corrected\)|images/0\.png"):
            trained(model=model)
        store = LabelStore(tmp_path / "work" / "label_store")
        assert store.versions() == []
        assert store.current == 0

    def test_a_full_disk_stops_the_training_which_goes_on_when_there_is_room(
        self, tmp_path, small_disk, runs, config_of
    ):
        data = write_images(tmp_path / "data", wrong=range(5))
        before = hashes(data / "labels")
        config = config_of(data, tmp_path / "work", hook=dict(store=str(small_disk / "store")))
        (small_disk / "filler").write_bytes(bytes(240_000))
        with pytest.raises(OSError, match="No space left on device"):
            runs.train(config)
        store = LabelStore(small_disk / "store")
        assert store.versions() == []
        assert store.current == 0
        (small_disk / "filler").unlink()
        runs.train(config, resume="")
        assert store.versions()[-1] == 3
        assert len(store.keys("labels", 3)) == 5
        assert hashes(data / "labels") == before

    def test_two_images_with_one_key(self, tmp_path, runs, config_of):
        data = write_images(tmp_path / "data", count=2)
        for folder in ("images", "labels"):
            (data / folder / "sub").mkdir()
            (data / folder / "0.png").rename(data / folder / "sub" / "1.png")
        with pytest.raises(LabelError, match=r"expected one image for each key, got 2 with '1'; img_dir=\.\.\."):
            runs.train(config_of(data, tmp_path / "work"))

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

    def test_what_is_missing_is_told_when_the_training_starts(self, tmp_path, runs, config_of, small_unet):
        data = write_images(tmp_path / "data")
        config = config_of(data, tmp_path / "work", model=small_unet())
        with pytest.raises(ValueError, match="EncoderDecoder counts nothing; expected a model of type"):
            runs.train(config)
        config = config_of(data, tmp_path / "work", hook=dict(source="ema"))
        with pytest.raises(ValueError, match="source='ema' needs"):
            runs.train(config)
        config = config_of(data, tmp_path / "work", hook=dict(epoch_iters=3))
        with pytest.raises(ValueError, match="epoch_iters: expected None, because this training counts epochs"):
            runs.train(config)
        config = config_of(data, tmp_path / "work")
        del config.train_dataloader.dataset.pipeline[2]
        with pytest.raises(ValueError, match="LabelCorrectionHook: the training pipeline has no step that reads"):
            runs.train(config)
