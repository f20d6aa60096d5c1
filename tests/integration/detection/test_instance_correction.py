"""Corrected masks with a detector that knows the true ones, and with a Mask R-CNN: versions, resuming, processes."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from mmengine.structures import InstanceData

from noisyseg.labels import LabelError, Mask

pytest.importorskip("mmdet")
from noisyseg.integration.detection.instance_correction_hook import InstanceCorrectionHook

SIZE = (48, 64)
STEP, PART = 60, 10
"""Grey levels that stand for a class, and for an object of it."""
TRUE = {0: [(4, 4, 20, 20), (30, 40, 44, 60)], 1: [(4, 30, 18, 50)]}
"""The objects of each class in every image: rows and columns from, to; wrong masks have four more columns."""
RESIZE = [dict(type="mmdet.Resize", scale_factor=1.0)]
AT_1 = dict(type="noisyseg.FixedTrigger", epochs={0: 1})
POLICY = dict(type="noisyseg.InstancePolicy", trigger=AT_1)


@MODELS.register_module(name="KnowingDetector", force=True)
class KnowingDetector(BaseModel):
    """Reads the true objects off the pixels, with a score; has one weight, to be trained."""

    def __init__(self, score=0.9, masks=True, **settings):
        super().__init__(**settings)
        self.score, self.masks = score, masks
        self.weight = torch.nn.Parameter(torch.ones(1))
        self.seen = []

    def forward(self, inputs, data_samples, mode):
        if mode == "loss":
            for sample in data_samples:
                objects = sample.gt_instances
                areas = objects.masks.masks.sum(axis=(1, 2)).tolist()
                widths = (objects.bboxes[:, 2] - objects.bboxes[:, 0]).tolist()
                self.seen.append((sample.img_id, objects.labels.tolist(), areas, widths))
            return {"loss": (self.weight**2).sum()}
        for image, sample in zip(inputs, data_samples, strict=True):
            values = [value for value in image[0].unique().tolist() if value]
            sample.pred_instances = InstanceData(
                labels=torch.tensor([int(value) // STEP for value in values], dtype=torch.long),
                scores=torch.full((len(values),), self.score),
            )
            if self.masks:
                sample.pred_instances.masks = torch.stack([image[0] == value for value in values])
        return data_samples


def frame(rows, wider=0):
    pixels = np.zeros(SIZE, np.uint8)
    pixels[rows[0] : rows[2], rows[1] : rows[3] + wider] = 1
    return pixels


def write_objects(root, wrong=(), count=5):
    """Images whose grey level is the true object; masks of some images are too wide, and one object is a crowd."""
    (root / "images").mkdir(parents=True)
    images, annotations = [], []
    for index in range(count):
        truth = np.zeros(SIZE, np.uint8)
        objects = [(c, rows) for c in TRUE for rows in TRUE[c] if not (c == 1 and index == 4)]
        for number, (c, rows) in enumerate(objects):
            truth[frame(rows) > 0] = STEP * c + PART * (number + 1)
            mask = Mask.from_frame(frame(rows, wider=4 * (index in wrong)))
            x0, y0, x1, y1 = mask.box
            annotations.append(
                dict(id=10 * index + number + 1, image_id=index, category_id=c + 1, segmentation=mask.rle)
                | dict(area=mask.area, bbox=[x0, y0, x1 - x0, y1 - y0], iscrowd=int(index == 0 and number == 1))
            )
        cv2.imwrite(str(root / "images" / f"{index}.png"), np.repeat(truth[..., None], 3, axis=2))
        images.append(dict(id=index, file_name=f"{index}.png", height=SIZE[0], width=SIZE[1]))
    categories = [dict(id=1, name="a"), dict(id=2, name="b")]
    document = dict(images=images, annotations=annotations, categories=categories)
    (root / "coco.json").write_text(json.dumps(document))
    return root


@pytest.fixture
def config_of(runs):
    """Returns a function that returns the config of a training with random flips."""

    def build(data, work_dir, *, hook=(), model=None, hooks=(), **settings):
        pipeline = [
            dict(type="mmengine.LoadImageFromFile"),
            dict(type="mmdet.LoadAnnotations", with_bbox=True, with_mask=True),
            dict(type="noisyseg.LoadStoredInstances"),
            dict(type="mmdet.RandomFlip", prob=0.5),
            dict(type="mmdet.PackDetInputs"),
        ]
        correction = dict(
            type="noisyseg.InstanceCorrectionHook", progress=False, policy=POLICY, steps=RESIZE, window_iters=3
        )
        return runs.config(
            work_dir,
            scope="mmdet",
            model=dict(data_preprocessor=dict(type="mmdet.DetDataPreprocessor", pad_mask=True))
            | (model or dict(type="mmengine.KnowingDetector")),
            dataset=dict(
                type="noisyseg.CocoDataset",
                data_root=str(data),
                ann_file="coco.json",
                data_prefix=dict(img="images"),
                pipeline=pipeline,
            ),
            hooks=[correction | dict(hook), *hooks],
            lr=0.02,
            **{"steps": 3} | settings,
        )

    return build


def changes(runs, config):
    """The bytes of all files in versions but the manifests, which name the moment, by name."""
    files = runs.files(runs.store_of(config))
    return {name: held for name, held in files.items() if not name.endswith("manifest.json")}


def hook_of(runner):
    return next(hook for hook in runner.hooks if isinstance(hook, InstanceCorrectionHook))


class TestWhatIsCorrected:
    def test_masks_of_a_class_that_is_due_become_the_predicted_ones(self, tmp_path, runs, config_of):
        config = config_of(write_objects(tmp_path / "data", wrong=(0, 1, 3)), tmp_path / "work")
        runner = runs.train(config)
        store = runs.store_of(config)
        assert (store.versions(), store.current) == ([1, 2], 2)
        assert store.keys("instances", 1) == {"0", "1", "3"}
        assert set(store.get("0", "instances", 1)) == {1}, "the second object is a crowd, the third of class b"
        for index in (1, 3):
            found = store.get(str(index), "instances", 1)
            expected = {10 * index + 1 + i: frame(rows) for i, rows in enumerate(TRUE[0])}
            assert set(found) == set(expected)
            for id_, pixels in expected.items():
                np.testing.assert_array_equal(Mask.from_coco(found[id_], SIZE).frame(), pixels)
        info = store.info(1)
        assert (info["images"], info["changed_images"], info["due"]) == (5, 3, ["a"])
        assert info["changed"] == {"a": {"gained": 0, "lost": 4 * (3 * 16 + 2 * 14)}, "b": {"gained": 0, "lost": 0}}
        areas, boxes = {}, {}
        for image, labels, found, widths in runner.model.seen:
            assert labels == ([0, 1] if image == 0 else [0, 0] if image == 4 else [0, 0, 1])
            areas.setdefault(image, []).append(found)
            boxes.setdefault(image, []).append(widths)
        assert areas[1] == [[320, 336, 336]] * 2 + [[256, 280, 336]]
        assert boxes[1] == [[20, 24, 24]] * 2 + [[16, 20, 24]]
        assert areas[2] == [[256, 280, 280]] * 3
        assert areas[0] == [[320, 336]] * 2 + [[256, 336]]

    def test_the_history_is_that_of_the_given_masks_throughout(self, tmp_path, runs, config_of):
        config = config_of(
            write_objects(tmp_path / "data", wrong=(1, 3)), tmp_path / "work", hook=dict(probe_images=None)
        )
        history = hook_of(runs.train(config)).history
        # class a: nine objects of 256 or 280 pixels, those of two images 4 columns too wide; one is a crowd
        true_a, extra_a = 5 * (256 + 280) - 280, 2 * 4 * (16 + 14)
        true_b, extra_b = 4 * 280, 2 * 4 * 14
        np.testing.assert_array_equal(history.labelled(), [[true_a + extra_a, true_b + extra_b]] * 3)
        iou = [true_a / (true_a + extra_a), true_b / (true_b + extra_b)]
        np.testing.assert_allclose(history.iou(), [iou] * 3)
        np.testing.assert_allclose(history.epochs, [0.5, 1.5, 2.5])

    def test_a_choice_of_images_is_probed_and_is_the_same_each_time(self, tmp_path, runs, config_of):
        data = write_objects(tmp_path / "data")
        sums = {}
        for seed in (0, 1, 2):
            hook = dict(probe_images=2, seed=seed)
            history = hook_of(runs.train(config_of(data, tmp_path / f"work{seed}", hook=hook))).history
            assert len({tuple(row) for row in history.labelled().tolist()}) == 1
            sums[seed] = history.labelled()[0].tolist()
            assert sums[seed][1] in (280, 560)
            assert sums[seed][0] in (2 * 536, 536 + 256)
        assert len({tuple(one) for one in sums.values()}) > 1

    def test_a_prediction_that_is_not_sure_changes_nothing(self, tmp_path, runs, config_of):
        model = dict(type="mmengine.KnowingDetector", score=0.7)
        config = config_of(write_objects(tmp_path / "data", wrong=(1,)), tmp_path / "work", model=model)
        runs.train(config)
        assert runs.store_of(config).keys("instances", 1) == set()

    def test_without_reinit_later_versions_build_on_earlier_ones(self, tmp_path, runs, config_of):
        trigger = dict(type="noisyseg.FixedTrigger", epochs={0: 0, 1: 1})
        config = config_of(
            write_objects(tmp_path / "data", wrong=(1,)),
            tmp_path / "work",
            hook=dict(policy=POLICY | dict(trigger=trigger, reinit=False)),
        )
        runs.train(config)
        store = runs.store_of(config)
        assert [store.parent(version) for version in (1, 2, 3)] == [0, 1, 2]
        held = [set(store.get("1", "instances", version)) for version in (1, 2, 3)]
        assert held == [{11, 12}, {11, 12, 13}, {11, 12, 13}]
        assert store.keys("instances", 3) == set()

    def test_images_without_a_class_that_is_due_are_loaded_once(self, tmp_path, runs, config_of):
        trigger = dict(type="noisyseg.FixedTrigger", epochs={1: 0})
        config = config_of(
            write_objects(tmp_path / "data"), tmp_path / "work", hook=dict(policy=POLICY | dict(trigger=trigger))
        )
        runs.train(config)
        assert [runs.store_of(config).info(version)["images"] for version in (1, 2, 3)] == [4, 4, 4]

    def test_loops_of_iterations_count_virtual_epochs(self, tmp_path, runs, config_of):
        data = write_objects(tmp_path / "data", wrong=(1, 3))
        by_epoch = config_of(data, tmp_path / "a")
        by_iter = config_of(data, tmp_path / "b", loop="iter", steps=9)
        runners = runs.train(by_epoch), runs.train(by_iter)
        assert changes(runs, by_epoch) == changes(runs, by_iter) != {}
        histories = [hook_of(runner).history.state() for runner in runners]
        assert histories[0] == histories[1]

    def test_persistent_workers_see_a_version_from_the_next_epoch_on(self, tmp_path, runs, config_of):
        data = write_objects(tmp_path / "data", wrong=(1, 3))
        seen = [
            runs.train(config_of(data, tmp_path / f"work{workers}", workers=workers)).model.seen for workers in (0, 2)
        ]
        assert seen[0] == seen[1]
        assert sorted(seen[0][:5]) == sorted(seen[0][5:10]) != sorted(seen[0][10:])


def tiny_mask_rcnn(repository):
    """The small Mask R-CNN of the configs, smaller, and so kind that something is found from the start."""
    config = Config.fromfile(repository / "configs" / "_base_" / "models" / "mask_rcnn_r18_small.py").model
    config.backbone.base_channels = 8
    config.neck.in_channels = [8, 16, 32, 64]
    config.rpn_head.anchor_generator.scales = [2]
    config.test_cfg.rpn.max_per_img = 30
    config.test_cfg.rcnn.update(score_thr=0.0, max_per_img=30)
    config.train_cfg.rpn_proposal.max_per_img = 30
    config.roi_head.bbox_head.update(num_classes=2, fc_out_channels=16)
    config.roi_head.mask_head.update(num_classes=2, num_convs=1, conv_out_channels=8)
    return config


EASY = dict(
    type="noisyseg.InstancePolicy",
    trigger=dict(type="noisyseg.FixedTrigger", epochs=0),
    tau=0.0,
    match_iou=0.02,
)
SCALED = [dict(type="mmdet.Resize", scale=(96, 96), keep_ratio=True)]


class TestMaskRCNN:
    @pytest.fixture
    def make_config(self, tmp_path, repository, config_of):
        data = write_objects(tmp_path / "data", wrong=(1, 3), count=4)

        def make(name, steps=4, **settings):
            return config_of(
                data,
                tmp_path / name,
                model=tiny_mask_rcnn(repository),
                loop="iter",
                steps=steps,
                hook=dict(policy=EASY, steps=SCALED, epoch_iters=2, window_iters=1) | settings,
                hooks=[dict(type="noisyseg.RandomStateHook")],
                checkpoints=1,
            )

        return make

    def test_a_resumed_training_is_the_uninterrupted_one(self, runs, make_config):
        whole, parts = (make_config(name) for name in ("whole", "parts"))
        expected = runs.train(whole)
        assert len(changes(runs, whole)) > 2
        parts.train_cfg.max_iters = 3
        runs.train(parts)
        parts.train_cfg.max_iters = 4
        found = runs.train(parts, resume=f"{parts.work_dir}/iter_3.pth")
        for name, tensor in expected.model.state_dict().items():
            assert torch.equal(tensor, found.model.state_dict()[name]), name
        assert hook_of(found).history.state() == hook_of(expected).history.state()
        assert len(hook_of(found).history) == 4
        assert changes(runs, parts) == changes(runs, whole)
        assert hook_of(found).due_epochs == hook_of(expected).due_epochs == {0: 0, 1: 0}

    def test_predicting_leaves_no_trace_in_a_training(self, runs, make_config):
        never = EASY | dict(trigger=dict(type="noisyseg.FixedTrigger", epochs=99))
        runners = [
            runs.train(make_config(f"every{window}", steps=2, policy=never, window_iters=window)) for window in (1, 2)
        ]
        assert [len(hook_of(runner).history) for runner in runners] == [2, 1]
        states = [runner.model.state_dict() for runner in runners]
        assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())
        assert all(runner.model.training for runner in runners)

    def test_only_pixels_that_are_sure_follow(self, runs, make_config):
        """At the start few pixels are sure to be in an object; those out of the predicted box are sure to be out."""
        gained = {}
        for pixel_tau in (0.5, 0.99):
            policy = EASY | dict(pixel_tau=pixel_tau)
            config = make_config(f"tau{pixel_tau}", steps=2, policy=policy)
            runner = runs.train(config)
            changed = runs.store_of(config).info(1)["changed"].values()
            gained[pixel_tau] = sum(one["gained"] for one in changed)
            assert sum(one["lost"] for one in changed) > 0
            assert runner.model.roi_head.test_cfg.mask_thr_binary == 0.5
        assert gained[0.5] > gained[0.99]


def save_history(runner, rank):
    Path(f"{runner.work_dir}/history{rank}.json").write_text(json.dumps(hook_of(runner).history.state()))


def test_two_processes_write_the_same_as_one(tmp_path, runs, config_of):
    data = write_objects(tmp_path / "data", wrong=(1, 3))
    alone, two = (
        config_of(data, tmp_path / name, hook=dict(probe_images=3, window_iters=length))
        for name, length in (("alone", 3), ("two", 2))  # an epoch each
    )
    history = hook_of(runs.train(alone)).history.state()
    runs.in_two_processes(two, tmp_path / "meeting", save_history)
    assert changes(runs, two) == changes(runs, alone) != {}
    for rank in range(2):
        assert json.loads(Path(f"{two.work_dir}/history{rank}.json").read_text()) == history


class TestErrors:
    @pytest.mark.parametrize(
        ("settings", "problem"),
        [
            (dict(policy=dict(type="noisyseg.AdelePolicy")), "expected one for objects, noisyseg.InstancePolicy, got"),
            (dict(probe_images=0), "probe_images: expected a number >= 1, or None for all, got 0"),
            (dict(every=0), "every: expected a number >= 1, got 0"),
        ],
    )
    def test_settings(self, settings, problem):
        with pytest.raises(ValueError, match=problem):
            InstanceCorrectionHook(**(dict(policy=POLICY, steps=RESIZE) | settings))

    def test_a_pipeline_that_does_not_read_masks_from_the_store(self, tmp_path, runs, config_of):
        config = config_of(write_objects(tmp_path / "data"), tmp_path / "work")
        del config.train_dataloader.dataset.pipeline[2]
        with pytest.raises(ValueError, match=r"the training pipeline has no noisyseg\.LoadStoredInstances"):
            runs.train(config)

    def test_several_data_sets(self, tmp_path, runs, config_of):
        config = config_of(write_objects(tmp_path / "data"), tmp_path / "work")
        one = config.train_dataloader.dataset
        config.train_dataloader.dataset = dict(type="mmengine.ConcatDataset", datasets=[one, one])
        with pytest.raises(ValueError, match=r"expected a data set with one mmdet\.LoadAnnotations .*, got 0"):
            runs.train(config)

    def test_a_model_without_masks(self, tmp_path, runs, config_of):
        model = dict(type="mmengine.KnowingDetector", masks=False)
        config = config_of(write_objects(tmp_path / "data"), tmp_path / "work", model=model)
        with pytest.raises(LabelError, match=r"0\.png: window around epoch 0\.5: KnowingDetector predicts no masks"):
            runs.train(config)

    def test_scores_that_are_no_numbers(self, tmp_path, runs, config_of):
        model = dict(type="mmengine.KnowingDetector", score=float("nan"))
        config = config_of(write_objects(tmp_path / "data"), tmp_path / "work", model=model)
        with pytest.raises(LabelError, match=r"0\.png: .*predictions: expected finite scores, got others"):
            runs.train(config)

    def test_probabilities_of_pixels_from_a_model_that_gives_none(self, tmp_path, runs, config_of):
        config = config_of(
            write_objects(tmp_path / "data"), tmp_path / "work", hook=dict(policy=POLICY | dict(pixel_tau=0.9))
        )
        with pytest.raises(ValueError, match="expected a model whose roi_head has a mask_thr_binary"):
            runs.train(config)

    def test_two_images_with_one_key(self, tmp_path, runs, config_of):
        data = write_objects(tmp_path / "data")
        for name in ("0.png", "1.png"):
            folder = data / "images" / f"town{name[0]}"
            folder.mkdir()
            (data / "images" / name).rename(folder / "1.png")
        text = (data / "coco.json").read_text()
        for number in "01":
            text = text.replace(f'"{number}.png"', f'"town{number}/1.png"')
        (data / "coco.json").write_text(text)
        config = config_of(data, tmp_path / "work")
        with pytest.raises(LabelError, match=r"expected one image for each key, got 2 with '1'; img_dir=\.\.\."):
            runs.train(config)
        config.train_dataloader.dataset.pipeline[2].img_dir = str(data / "images")
        config.work_dir = str(tmp_path / "other")
        runs.train(config)
        assert runs.store_of(config).versions() == [1, 2]

    def test_objects_that_cannot_be_told_apart(self, tmp_path, runs, config_of):
        data = write_objects(tmp_path / "data")
        config = config_of(data, tmp_path / "work")
        split = dict(type="noisyseg.Split", rate=1.0)
        load, *rest = config.train_dataloader.dataset.pipeline
        config.train_dataloader.dataset.pipeline = [load, dict(type="noisyseg.InjectNoise", noise=split), *rest]
        with pytest.raises(LabelError, match=r"expected objects with different ids, but noisyseg\.InjectNoise"):
            runs.train(config)
