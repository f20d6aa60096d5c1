import pytest
from mmengine.config import Config

from noisyseg.integration import runner_setup
from noisyseg.integration.runner_setup import ConfigError

MINIMAL = "default_scope = 'mmseg'\ntrain_cfg = dict(max_epochs=5)\n"


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / "unet_scenes-clean.py"
    path.write_text(MINIMAL)
    return path


def detection(**settings):
    return Config({"default_scope": "mmdet", **settings})


def segmentation(**settings):
    return Config({"default_scope": "mmseg", **settings})


class TestLoadConfig:
    def test_work_dir_defaults_to_the_name_of_the_config(self, config_file):
        assert runner_setup.load_config(str(config_file)).work_dir == "work_dirs/unet_scenes-clean"

    def test_work_dir_of_the_config_is_kept_and_the_argument_wins(self, config_file):
        config_file.write_text(MINIMAL + "work_dir = 'own'\n")
        assert runner_setup.load_config(str(config_file)).work_dir == "own"
        assert runner_setup.load_config(str(config_file), work_dir="given").work_dir == "given"

    def test_options_override_the_config(self, config_file):
        config = runner_setup.load_config(str(config_file), options={"train_cfg.max_epochs": 2})
        assert config.train_cfg.max_epochs == 2

    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(ConfigError, match=r"nowhere\.py: no such file"):
            runner_setup.load_config(str(tmp_path / "nowhere.py"))

    def test_a_host_that_is_absent_is_refused(self, config_file):
        config_file.write_text("default_scope = 'mmnowhere'\n")
        with pytest.raises(ConfigError, match="default_scope is 'mmnowhere'"):
            runner_setup.load_config(str(config_file))

    def test_a_config_without_scope_is_refused(self, config_file):
        config_file.write_text("train_cfg = dict()\n")
        with pytest.raises(ConfigError, match="has no default_scope"):
            runner_setup.load_config(str(config_file))


class TestTraining:
    @pytest.mark.parametrize("named", [{}, {"type": "OptimWrapper"}, {"type": "mmengine.OptimWrapper"}])
    def test_amp_replaces_the_plain_wrapper(self, named):
        config = segmentation(optim_wrapper={"optimizer": {"type": "SGD"}} | named)
        runner_setup.enable_amp(config)
        assert config.optim_wrapper.type == "mmengine.AmpOptimWrapper"
        assert config.optim_wrapper.loss_scale == "dynamic"

    def test_amp_does_not_replace_a_wrapper_of_another_kind(self):
        with pytest.raises(ConfigError, match="got 'ApexOptimWrapper'"):
            runner_setup.enable_amp(segmentation(optim_wrapper={"type": "ApexOptimWrapper"}))

    def test_lr_scaling_needs_the_batch_size_the_config_was_written_for(self):
        config = segmentation(auto_scale_lr={"base_batch_size": 16})
        runner_setup.enable_lr_scaling(config)
        assert config.auto_scale_lr.enable is True
        with pytest.raises(ConfigError, match=r"no auto_scale_lr\.base_batch_size"):
            runner_setup.enable_lr_scaling(segmentation())

    def test_resume_takes_the_latest_or_a_file(self, tmp_path):
        config = segmentation(load_from="pretrained.pth")
        runner_setup.resume_from(config, "auto")
        assert (config.resume, config.load_from) == (True, None)
        checkpoint = tmp_path / "epoch_1.pth"
        checkpoint.touch()
        runner_setup.resume_from(config, str(checkpoint))
        assert config.load_from == str(checkpoint)
        with pytest.raises(ConfigError, match=r"--resume: no such file: .*epoch_2\.pth"):
            runner_setup.resume_from(config, str(tmp_path / "epoch_2.pth"))


class TestTesting:
    def test_tta_wraps_the_model_and_reaches_the_innermost_data_set(self):
        config = segmentation(
            model={"type": "EncoderDecoder"},
            tta_model={"type": "SegTTAModel"},
            tta_pipeline=[{"type": "TestTimeAug"}],
            test_dataloader={"dataset": {"type": "RepeatDataset", "dataset": {"pipeline": []}}},
        )
        runner_setup.enable_tta(config)
        assert config.model == {"type": "SegTTAModel", "module": {"type": "EncoderDecoder"}}
        assert config.test_dataloader.dataset.dataset.pipeline[0].type == "TestTimeAug"

    def test_tta_needs_both_settings(self):
        with pytest.raises(ConfigError, match="no tta_pipeline"):
            runner_setup.enable_tta(segmentation(tta_model={"type": "SegTTAModel"}))

    def test_pictures_go_where_the_host_looks(self):
        hooks = {"visualization": {"type": "VisualizationHook"}}
        config = detection(default_hooks=hooks)
        runner_setup.draw_predictions(config, "pictures")
        assert config.default_hooks.visualization.test_out_dir == "pictures"
        config = segmentation(default_hooks=hooks, visualizer={"type": "SegLocalVisualizer"})
        runner_setup.draw_predictions(config, "pictures")
        assert config.visualizer.save_dir == "pictures"
        assert config.default_hooks.visualization.draw is True
        assert config.default_hooks.visualization.interval == 1

    def test_pictures_need_the_hook(self):
        with pytest.raises(ConfigError, match=r"no default_hooks\.visualization"):
            runner_setup.draw_predictions(segmentation(), "pictures")

    def test_detections_are_dumped_beside_the_metrics(self):
        config = detection(test_evaluator={"type": "CocoMetric"})
        runner_setup.save_predictions(config, "out.pkl")
        assert [item.type for item in config.test_evaluator] == ["CocoMetric", "mmdet.DumpDetResults"]
        with pytest.raises(ConfigError, match=r"expected a \.pkl file"):
            runner_setup.save_predictions(config, "folder")

    def test_label_maps_are_written_by_the_first_iou_metric(self):
        config = segmentation(test_evaluator=[{"type": "noisyseg.X"}, {"type": "mmseg.IoUMetric"}])
        runner_setup.save_predictions(config, "folder")
        assert config.test_evaluator[1].output_dir == "folder"
        with pytest.raises(ConfigError, match="no IoUMetric"):
            runner_setup.save_predictions(segmentation(test_evaluator={"type": "noisyseg.X"}), "folder")

    def test_a_missing_checkpoint_is_named(self, tmp_path):
        with pytest.raises(ConfigError, match=r"checkpoint: no such file: .*none\.pth"):
            runner_setup.build_runner(segmentation(), str(tmp_path / "none.pth"))
