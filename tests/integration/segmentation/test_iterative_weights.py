"""Rounds with a model that knows the true labels, and with one that learns: versions, resuming, processes."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from mmengine.runner import Runner
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from scipy import stats

from noisyseg.integration.label_versions import LabelVersions
from noisyseg.integration.load_stored_labels import stored_label_steps
from noisyseg.integration.segmentation.iterative_weights import IterativeWeightHook
from noisyseg.labels import LabelError

STEP = 80
"""Grey level that stands for a class in the images."""
BLOCK = (slice(4, 9), slice(20, 26))


@MODELS.register_module(name="KnowingSegmentor", force=True)
class KnowingSegmentor(BaseModel):
    """Reads the true class off the pixel, with a confidence; has one weight and dropout, to be trained and seeded."""

    def __init__(self, sure=200.0, dropout=0.0, **settings):
        super().__init__(**settings)
        self.sure = sure
        self.weight = torch.nn.Parameter(torch.ones(1))
        self.dropout = torch.nn.Dropout2d(dropout)
        self.seen = []

    def forward(self, inputs, data_samples, mode):
        if mode == "loss":
            for sample in data_samples:
                weights = sample.gt_weight_map.data.float().mean().item() / 255
                self.seen.append((sample.gt_sem_seg.data.float().mean().item(), weights, sample.image_weight))
            return {"loss": (self.weight**2).sum()}
        classes = (inputs[:, :1] / STEP).round().long()
        logits = self.sure * torch.zeros(len(inputs), 3, *inputs.shape[2:]).scatter_(1, classes, 1)
        logits = self.dropout(logits)
        return [SegDataSample(seg_logits=PixelData(data=one), metainfo={}) for one in logits]


def write_images(root, wrong=(), count=5):
    """Images whose grey level is the true class; labels wrong in one block of some images."""
    for folder in ("images", "labels"):
        (root / folder).mkdir(parents=True)
    for index in range(count):
        truth = np.zeros((24, 32), np.uint8)
        truth[6:18, 4 : 14 + index] = 1
        truth[16:22, 20:30] = 2
        given = truth.copy()
        if index in wrong:
            given[BLOCK] = 2 - given[BLOCK]
        given[0] = 255
        cv2.imwrite(str(root / "images" / f"{index}.png"), np.repeat(STEP * truth[..., None], 3, axis=2))
        cv2.imwrite(str(root / "labels" / f"{index}.png"), given)
    return root


@pytest.fixture
def config_of(runs):
    """Returns a function that returns the config of a training of three rounds, on batches of two."""

    def build(data, work_dir, *, hook, model=None, loop="epoch", flip=False, hooks=(), **settings):
        pipeline = [
            dict(type="mmengine.LoadImageFromFile"),
            dict(type="mmseg.LoadAnnotations"),
            dict(type="noisyseg.LoadStoredLabels"),
            *([dict(type="mmseg.RandomFlip", prob=0.5)] if flip else []),
            dict(type="noisyseg.PackSegInputs"),
        ]
        config = runs.config(
            work_dir,
            scope="mmseg",
            model=dict(data_preprocessor=PREPROCESSOR, **(model or dict(type="mmengine.KnowingSegmentor"))),
            dataset=dict(
                type="noisyseg.SegDataset",
                data_root=str(data),
                data_prefix=dict(img_path="images", seg_map_path="labels"),
                metainfo=dict(classes=("a", "b", "c")),
                img_suffix=".png",
                pipeline=pipeline,
            ),
            hooks=[dict(type="noisyseg.IterativeWeightHook", progress=False, **hook), *hooks],
            loop=loop,
            **settings,
        )
        config.param_scheduler = [dict(type="mmengine.ExponentialLR", gamma=0.5, by_epoch=loop == "epoch")]
        return config

    return build


PREPROCESSOR = dict(type="mmseg.SegDataPreProcessor", size=(24, 32))
PIXEL = dict(type="noisyseg.LabelProbability")
DICE = dict(type="noisyseg.SoftDiceQuality")


def hook_of(runner):
    return next(hook for hook in runner.hooks if isinstance(hook, IterativeWeightHook))


class TestVersions:
    def test_a_perfect_model_gives_full_weights_and_the_same_labels_each_round(self, tmp_path, runs, config_of):
        config = config_of(
            write_images(tmp_path / "data"),
            tmp_path / "work",
            hook=dict(round_epochs=1, pixel=PIXEL, image=DICE, refresh=dict(type="noisyseg.Refresh"), stop_below=0),
        )
        runner = runs.train(config)
        store = runs.store_of(config)
        assert (store.versions(), store.current, hook_of(runner).version) == ([1, 2], 2, 2)
        for index in range(5):
            assert store.get(str(index), "labels", 2) is None
            assert (store.get(str(index), "weights", 1)[1:] == 255).all()
        assert store.values("image_weight", 1) == dict.fromkeys("01234", 1.0)
        first, second = (
            {
                name: held
                for name, held in runs.files(store).items()
                if name.startswith(f"v000{v}") and "manifest" not in name
            }
            for v in (1, 2)
        )
        assert list(first.values()) == list(second.values())

    def test_wrong_blocks_are_found_to_the_pixel(self, tmp_path, runs, config_of):
        config = config_of(
            write_images(tmp_path / "data", wrong=(1, 3)),
            tmp_path / "work",
            hook=dict(round_epochs=1, pixel=PIXEL, image=DICE, flips=["horizontal", "diagonal"]),
        )
        runner = runs.train(config)
        store = runs.store_of(config)
        for index in range(5):
            low = store.get(str(index), "weights", 1) < 255
            expected = np.zeros((24, 32), bool)
            expected[0] = True
            if index in (1, 3):
                expected[BLOCK] = True
            np.testing.assert_array_equal(low, expected)
        weights = store.values("image_weight", 1)
        assert weights["1"] < 1 < weights["0"]
        assert np.mean(list(weights.values())) == pytest.approx(1)
        seen = runner.model.seen
        assert all(entry[1:] == (pytest.approx(23 / 24), 1.0) for entry in seen[:5])
        assert {round(entry[2], 6) for entry in seen[5:10]} == {round(weight, 6) for weight in weights.values()}

    def test_refreshed_labels_are_trained_on_and_judged_from(self, tmp_path, runs, config_of):
        config = config_of(
            write_images(tmp_path / "data", wrong=(1, 3)),
            tmp_path / "work",
            hook=dict(round_epochs=1, pixel=PIXEL, refresh=dict(type="noisyseg.Refresh"), stop_below=0),
        )
        runner = runs.train(config)
        store = runs.store_of(config)
        assert store.keys("labels", 1) == {"1", "3"}
        assert store.keys("labels", 2) == set()
        truth = cv2.imread(str(tmp_path / "data" / "images" / "1.png"), 0) // STEP
        np.testing.assert_array_equal(store.get("1", "labels", 2)[1:], truth[1:])
        assert (store.get("1", "labels", 2)[0] == 255).all()
        assert store.info(1)["relabelled_share"] == pytest.approx(2 * 30 / (5 * 23 * 32))
        given, refreshed = (sorted(entry[0] for entry in runner.model.seen[part]) for part in (slice(5), slice(5, 10)))
        assert given != refreshed
        assert refreshed == sorted(entry[0] for entry in runner.model.seen[10:15])

    def test_where_nothing_changes_no_further_round_is_judged(self, tmp_path, runs, config_of):
        config = config_of(
            write_images(tmp_path / "data", wrong=(1,)),
            tmp_path / "work",
            hook=dict(rounds=4, round_epochs=1, pixel=PIXEL),
        )
        runner = runs.train(config)
        assert runs.store_of(config).versions() == [1, 2]
        assert hook_of(runner).settled

    @pytest.mark.parametrize(("disagree", "floor"), [(0.0, (0.01, 0.25)), (0.1, (0.2, 0.6))])
    def test_a_class_that_lost_its_weight_keeps_some(self, tmp_path, disagree, floor, runs, config_of):
        data = write_images(tmp_path / "data")
        for path in (data / "labels").glob("*.png"):
            labels = cv2.imread(str(path), 0)
            labels[labels == 2] = 0
            labels[2, 2:6] = 2  # nowhere true
            cv2.imwrite(str(path), labels)
        agreement = dict(type="noisyseg.Agreement", disagree=disagree)
        hook = dict(round_epochs=1, pixel=agreement, class_floor=floor)
        config = config_of(data, tmp_path / "work", hook=hook)
        runs.train(config)
        store = runs.store_of(config)
        assert store.info(1)["faded"] == [2]
        weights = store.get("0", "weights", 1)
        assert (weights[2, 2:6] == np.rint(255 * floor[1])).all()
        assert set(np.unique(np.delete(weights[1:], 1, axis=0))) == {np.rint(255 * disagree), 255}

    def test_loops_of_iterations_count_virtual_epochs(self, tmp_path, runs, config_of):
        data = write_images(tmp_path / "data", wrong=(1,))
        by_epoch = config_of(data, tmp_path / "a", hook=dict(round_epochs=1, pixel=PIXEL, stop_below=0))
        by_iter = config_of(
            data, tmp_path / "b", loop="iter", steps=8, hook=dict(round_epochs=1, pixel=PIXEL, stop_below=0)
        )
        runs.train(by_epoch)
        runner = runs.train(by_iter)
        for version in (1, 2):
            for index in range(5):
                maps = [runs.store_of(c).get(str(index), "weights", version) for c in (by_epoch, by_iter)]
                np.testing.assert_array_equal(*maps)
        weights = [entry[1] for entry in runner.model.seen]
        assert max(weights[:6]) == min(weights[:6]) == pytest.approx(23 / 24)  # 3 iterations of 2 images
        assert min(weights[6:11]) < 0.95

    def test_dropout_passes_are_seeded_by_round_and_image(self, tmp_path, runs, config_of):
        data = write_images(tmp_path / "data")
        model = dict(type="mmengine.KnowingSegmentor", sure=3.0, dropout=0.5)
        hook = dict(round_epochs=1, dropout_passes=3, pixel=PIXEL, stop_below=0)
        found = []
        for name, seed in (("a", 0), ("b", 0), ("c", 1)):
            config = config_of(data, tmp_path / name, model=model, hook=hook | {"seed": seed})
            runs.train(config)
            found.append([runs.store_of(config).get("0", "weights", v) for v in (1, 2)])
        np.testing.assert_array_equal(found[0], found[1])
        assert (found[0][0] != found[0][1]).any()
        assert (found[0][0] != found[2][0]).any()


class TestWorkers:
    def test_persistent_workers_see_a_version_from_the_next_epoch_on(self, tmp_path, runs, config_of):
        data = write_images(tmp_path / "data", wrong=(1, 3))
        seen = []
        for workers in (0, 2):
            hook = dict(round_epochs=1, pixel=PIXEL, image=DICE, refresh=dict(type="noisyseg.Refresh"), stop_below=0)
            config = config_of(data, tmp_path / f"work{workers}", workers=workers, hook=hook)
            seen.append(runs.train(config).model.seen)
        assert seen[0] == seen[1]
        assert seen[0][:5] != seen[0][5:10]


class TestRestart:
    class Watch(Hook):
        priority = 95

        def __init__(self):
            self.weights, self.rates = [], []

        def after_train_epoch(self, runner):
            self.weights.append(runner.model.weight.item())
            self.rates.append(runner.optim_wrapper.get_lr()["lr"][0])

    @pytest.mark.parametrize("restart", [True, False])
    def test_weights_optimizer_and_schedule_begin_again(self, tmp_path, restart, config_of):
        hook = dict(round_epochs=2, pixel=PIXEL, stop_below=0, restart=restart)
        config = config_of(write_images(tmp_path / "data"), tmp_path / "work", steps=6, hook=hook)
        config.experiment_name = f"restart_{restart}_{tmp_path.name}"
        runner = Runner.from_cfg(config)
        watch = self.Watch()
        runner.register_hook(watch)
        runner.train()
        if restart:
            assert watch.weights[1] == watch.weights[3] == 1.0
            assert watch.rates[1] == watch.rates[3] == 0.1
            assert watch.weights[0] == watch.weights[2] == watch.weights[4]  # the optimizer's momentum is gone too
            assert watch.rates[0] == watch.rates[2] == pytest.approx(0.05)
        else:
            assert len(set(watch.weights)) == 6
            assert watch.rates[-1] == pytest.approx(0.1 * 0.5**5)


@pytest.fixture
def noise_aware_unet(small_unet):
    """Returns a function that returns the config of a U-Net whose losses want weights."""
    return lambda **head: small_unet(
        type="noisyseg.NoiseAwareHead", head="mmseg.FCNHead", expects=["pixel", "image"], **head
    )


EXACT = dict(type="noisyseg.RandomStateHook")
EVERYTHING = dict(
    pixel=PIXEL,
    image=dict(type="noisyseg.MonteCarloUncertainty", min_voxels=5),
    dropout_passes=2,
    refresh=dict(type="noisyseg.Refresh", confidence=0.34),
    stop_below=0,
)


class TestResuming:
    @pytest.fixture
    def make_config(self, tmp_path, config_of, noise_aware_unet):
        data = write_images(tmp_path / "data", wrong=(1, 3), count=6)

        def make(name, loop, restart=False):
            length = {"epoch": dict(round_epochs=2), "iter": dict(round_iters=6)}[loop]
            return config_of(
                data,
                tmp_path / name,
                model=noise_aware_unet(),
                loop=loop,
                steps={"epoch": 6, "iter": 18}[loop],
                flip=True,
                checkpoints=1 if loop == "epoch" else 3,
                hook=EVERYTHING | length | {"restart": restart},
                hooks=[EXACT],
            )

        return make

    @pytest.mark.parametrize(
        ("loop", "restart", "death"),
        [
            ("epoch", False, {"iteration": 8}),  # in the second round
            ("epoch", False, {"files": 4}),  # while the first version is written
            ("iter", True, {"files": 15}),  # while the second one is
            ("iter", False, {"iteration": 12}),  # at the round's last iteration, behind the checkpoint
        ],
    )
    def test_a_killed_and_resumed_training_is_the_uninterrupted_one(self, loop, restart, death, runs, make_config):
        whole, broken = (make_config(name, loop, restart) for name in ("whole", "broken"))
        expected = runs.train(whole).model.state_dict()
        runs.killed(broken, **death)
        found = runs.train(broken, resume="").model.state_dict()
        assert runs.files(runs.store_of(whole)) == runs.files(runs.store_of(broken))
        assert runs.store_of(broken).versions() == [1, 2]
        for name, tensor in expected.items():
            assert torch.equal(tensor, found[name]), name

    def test_an_earlier_checkpoint_puts_its_version_back_and_later_versions_stay(self, runs, make_config):
        config = make_config("work", "epoch")
        runs.train(config)
        store = runs.store_of(config)
        before = runs.files(store)
        again = config.copy()
        again.custom_hooks[0]["pixel"] = dict(type="noisyseg.Agreement")
        runner = runs.train(again, resume=f"{config.work_dir}/epoch_2.pth")
        assert {name: runs.files(store)[name] for name in before} == before
        assert (store.versions(), store.current, store.lineage(3)) == ([1, 2, 3], 3, [3, 1])
        assert hook_of(runner).version == 3
        same = runs.train(config, resume=f"{config.work_dir}/epoch_3.pth")
        assert hook_of(same).version == store.current
        for epoch, version in ((1, 0), (2, 1), (3, 1)):
            checkpoint = torch.load(f"{config.work_dir}/epoch_{epoch}.pth", weights_only=False)
            assert checkpoint["noisyseg_rounds"]["version"] == version

    def test_a_version_that_is_gone_is_an_error(self, runs, make_config):
        config = make_config("work", "epoch")
        runs.train(config)
        (runs.store_of(config).root / "v0001" / "manifest.json").unlink()
        with pytest.raises(LabelError, match=r"v0001/manifest\.json: this version is not there"):
            runs.train(config, resume=f"{config.work_dir}/epoch_2.pth")

    def test_a_checkpoint_without_rounds_is_refused(self, tmp_path, runs, make_config):
        config = make_config("work", "epoch")
        without = config.copy()
        without.custom_hooks = []
        without.train_dataloader.dataset.pipeline[2].store = str(tmp_path / "work" / "label_store")
        without.train_cfg.max_epochs = 1
        runs.train(without)
        with pytest.raises(ValueError, match="saved without IterativeWeightHook; start from it with load_from"):
            runs.train(config, resume=f"{config.work_dir}/epoch_1.pth")


def test_two_processes_write_each_file_once_and_the_same_as_one(tmp_path, runs, config_of):
    data = write_images(tmp_path / "data", wrong=(1, 3))
    hook = dict(round_epochs=1, pixel=PIXEL, image=DICE, refresh=dict(type="noisyseg.Refresh"), flips=["horizontal"])
    alone, two = (config_of(data, tmp_path / name, hook=hook) for name in ("alone", "two"))
    runs.train(alone)
    puts = runs.in_two_processes(two, tmp_path / "meeting")
    found, expected = (
        {name: held for name, held in runs.files(runs.store_of(one)).items() if "manifest" not in name}
        for one in (two, alone)
    )
    assert found == expected
    assert not set(puts[0]) & set(puts[1])
    assert len(set(puts[0] + puts[1])) == len(puts[0] + puts[1])
    assert min(map(len, puts)) >= 2


class TestErrors:
    @pytest.mark.parametrize(
        ("settings", "problem"),
        [
            ({}, "expected either round_epochs or round_iters, got None and None"),
            ({"round_epochs": 1, "rounds": 1}, "expected at least 2 rounds of at least 1 step"),
            (
                {"round_epochs": 1, "source": "crossfit"},
                "'crossfit' is not available while training: it needs one model",
            ),
            ({"round_epochs": 1, "source": "mine"}, "source: expected one of self, ema, not 'mine'"),
            ({"round_epochs": 1, "stop_below": 1}, r"stop_below: expected a share in \[0, 1\), got 1"),
            ({"round_epochs": 1, "class_floor": (0.1, 2)}, r"class_floor: expected two numbers in \[0, 1\], got"),
            ({"round_epochs": 1, "flips": ["up"]}, "flips: expected different ones of horizontal, vertical, diagonal"),
            ({"round_epochs": 1, "dropout_passes": -1}, "dropout_passes: expected a number >= 0, got -1"),
            ({"round_epochs": 1, "dataloader": {"batch_size": 2}}, "expected dataset and num_workers alone"),
            ({"round_epochs": 1, "image": dict(type="noisyseg.MonteCarloUncertainty")}, "need at least 2 passes"),
        ],
    )
    def test_settings(self, settings, problem):
        with pytest.raises(ValueError, match=problem):
            IterativeWeightHook(**settings)

    @pytest.mark.parametrize(
        ("hook", "problem"),
        [
            (dict(round_iters=2), "round_iters: this training counts epochs"),
            (dict(round_epochs=1, source="ema"), "source='ema' needs mmengine.EMAHook"),
            (dict(round_epochs=1, dropout_passes=2), "the model has no dropout"),
            (dict(round_epochs=1, store="elsewhere"), "LoadStoredLabels reads .*here, but the hook writes elsewhere"),
        ],
    )
    def test_trainings_that_do_not_go_with_the_rounds(self, tmp_path, hook, problem, runs, config_of):
        config = config_of(write_images(tmp_path / "data"), tmp_path / "work", hook=hook)
        if "store" in hook:
            config.train_dataloader.dataset.pipeline[2].store = str(tmp_path / "here")
        with pytest.raises(ValueError, match=problem):
            runs.train(config)

    def test_a_pipeline_that_does_not_read_the_store(self, tmp_path, runs, config_of):
        config = config_of(write_images(tmp_path / "data"), tmp_path / "work", hook=dict(round_epochs=1))
        del config.train_dataloader.dataset.pipeline[2]
        with pytest.raises(ValueError, match=r"the training pipeline has no step that reads the store"):
            runs.train(config)

    def test_two_images_with_one_key(self, tmp_path, runs, config_of):
        data = write_images(tmp_path / "data", count=2)
        for folder in ("images", "labels"):
            (data / folder / "sub").mkdir()
            (data / folder / "0.png").rename(data / folder / "sub" / "1.png")
        config = config_of(data, tmp_path / "work", hook=dict(round_epochs=1))
        with pytest.raises(LabelError, match=r"expected one image for each key, got 2 with '1'; img_dir=\.\.\."):
            runs.train(config)
        config.train_dataloader.dataset.pipeline[2].img_dir = str(data / "images")
        runs.train(config)
        assert runs.store_of(config).keys("weights", 1) == {"1", "sub/1"}


def test_averaged_weights_predict_where_asked_for(tmp_path, monkeypatch, runs, config_of):
    models = []
    make = LabelVersions.make
    monkeypatch.setattr(
        LabelVersions, "make", lambda self, model, *rest: models.append(model) or make(self, model, *rest)
    )
    config = config_of(
        write_images(tmp_path / "data"),
        tmp_path / "work",
        hook=dict(round_epochs=1, source="ema", pixel=PIXEL),
        hooks=[dict(type="mmengine.EMAHook", momentum=0.5)],
    )
    runner = runs.train(config)
    assert models[0] is not runner.model
    assert models[0].weight.item() != runner.model.weight.item()
    assert list(stored_label_steps(runner.train_dataloader.dataset))


def write_noisy_discs(root, count=48, share=0.4):
    """Discs on grey ground; the labels of some are eroded or shifted. Returns where the given labels are wrong."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:24, :32]
    wrong = {}
    for folder in ("images", "labels"):
        (root / folder).mkdir(parents=True)
    for index in range(count):
        radius, y, x = rng.uniform(5, 8), rng.uniform(8, 16), rng.uniform(9, 23)
        distance = np.hypot(rows - y, columns - x)
        truth = distance < radius
        given = truth
        if index < share * count:
            dy, dx = rng.choice([-3, 3], 2)
            moved = np.hypot(rows - y - dy, columns - x - dx) < radius
            given = distance < radius - 3 if index % 2 else moved
        image = 90 + 60 * truth + rng.normal(0, 20, truth.shape)
        pixels = np.repeat(image.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
        cv2.imwrite(str(root / "images" / f"{index}.png"), pixels)
        cv2.imwrite(str(root / "labels" / f"{index}.png"), given.astype(np.uint8))
        wrong[str(index)] = given != truth
    return wrong


def area_under_roc(scores, positive):
    """The share of (positive, negative) pairs in the right order, ties half."""
    ranks = stats.rankdata(scores)[positive]
    return (ranks.mean() - (len(ranks) + 1) / 2) / (len(scores) - len(ranks))


@pytest.mark.slow
def test_low_weights_find_the_wrong_labels_of_a_noisy_world(tmp_path, runs, config_of, noise_aware_unet):
    wrong = write_noisy_discs(tmp_path / "data")
    losses = [dict(type="noisyseg.NoiseWeightedDice"), dict(type="noisyseg.CrossEntropy", loss_weight=0.5)]
    model = noise_aware_unet(num_classes=2, loss_decode=losses)
    hook = dict(rounds=2, round_iters=120, pixel=PIXEL, image=DICE, flips=["horizontal"])
    config = config_of(tmp_path / "data", tmp_path / "work", model=model, loop="iter", steps=130, hook=hook)
    config.model.data_preprocessor.update(mean=[120] * 3, std=[50] * 3)
    config.train_dataloader.dataset.metainfo = dict(classes=("ground", "disc"))
    config.train_dataloader.batch_size = 8
    config.optim_wrapper.optimizer = dict(type="AdamW", lr=5e-3)
    config.param_scheduler = []
    runs.train(config)
    store = runs.store_of(config)
    weights = {key: store.get(key, "weights", 1) / 255 for key in wrong}
    scores = np.concatenate([1 - weights[key].ravel() for key in wrong])
    errors = np.concatenate([wrong[key].ravel() for key in wrong])
    assert 0.02 < errors.mean() < 0.2
    assert area_under_roc(scores, errors) > 0.8
    image = store.values("image_weight", 1)
    noisy = [image[key] for key in wrong if wrong[key].any()]
    clean = [image[key] for key in wrong if not wrong[key].any()]
    assert np.mean(noisy) < 1 < np.mean(clean)
