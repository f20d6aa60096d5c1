import dataclasses
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from noisyseg.integration.benchmark import load_table
from noisyseg.integration.benchmark.table import Method, at_folder
from noisyseg.registry import HOOKS, MODELS, TASK_UTILS, TRANSFORMS


def keys(table, prepared, **choice):
    return {(cell.method, cell.seed): cell.key for cell in table.cells(prepared, **choice)}


def test_cells_are_all_combinations(load, prepared):
    cells = load().cells(prepared)
    assert [(cell.method, cell.seed) for cell in cells] == [("ce", 0), ("forward", 0), ("ce", 1), ("forward", 1)]
    assert len({cell.key for cell in cells}) == 4
    assert [cell.flags["uses_noise_rate"] for cell in cells[:2]] == [False, True]


def test_a_cell_has_the_base_with_both_differences(load, prepared):
    config = load().cells(prepared)[1].config
    head = config["model"]["decode_head"]
    assert head["loss_decode"]["type"] == "noisyseg.ForwardCorrection"
    np.testing.assert_allclose(head["loss_decode"]["transition"], prepared["scenes"].transitions, atol=1e-6)
    assert head["num_classes"] == 7
    assert config["train_cfg"]["max_iters"] == 2
    assert config["train_dataloader"]["dataset"]["data_prefix"]["seg_map_path"] == "noisy/train"
    assert not {"load", "pack", "clean_val", "data_root"} & set(config)


def test_the_key_depends_on_the_config_and_on_nothing_that_only_the_page_shows(load, prepared):
    plain = keys(load(), prepared)
    assert keys(load(), prepared) == plain
    assert keys(load('title="Forward"', 'title="Another"'), prepared) == plain
    changed = keys(load("uses_noise_rate=True,", 'uses_noise_rate=True, labels="clean",'), prepared)
    assert {cell for cell in plain if plain[cell] != changed[cell]} == {("forward", 0), ("forward", 1)}
    assert not set(keys(load("batch_size=2", "batch_size=1"), prepared).values()) & set(plain.values())
    assert keys(load(), prepared, budget=0.5) != plain


def test_clean_labels_are_trained_on_where_a_method_says_so(load, prepared):
    cell = load("uses_noise_rate=True,", 'labels="clean",').cells(prepared, only=["forward"])[0]
    assert cell.config["train_dataloader"]["dataset"]["data_prefix"]["seg_map_path"] == "clean/train"
    assert cell.flags["uses_clean_images"]
    told = load("uses_noise_rate=True,", "uses_clean_labels=True,").cells(prepared, only=["forward"])[0]
    assert told.flags["uses_clean_images"]
    assert told.config["train_dataloader"]["dataset"]["data_prefix"]["seg_map_path"] == "noisy/train"


def test_a_wrapper_can_be_put_around_the_model_of_the_base(load, prepared):
    wrapper = 'model=dict(_delete_=True, type="W", inner={"{model}": dict(decode_head=dict(channels=3))})'
    table = load('ce=dict(title="CE")', f'ce=dict(title="CE", config=dict({wrapper}))')
    model = table.cells(prepared, only=["ce"])[0].config["model"]
    assert set(model) == {"type", "inner"}
    assert model["inner"]["decode_head"]["channels"] == 3
    assert model["inner"]["decode_head"]["num_classes"] == 7
    assert model["inner"]["backbone"]["type"] == "UNet"
    scenes = dataclasses.replace(table.data["scenes"], config=dict(model=dict(decode_head=dict(dropout_ratio=0.7))))
    model = dataclasses.replace(table, data={"scenes": scenes}).cells(prepared, only=["ce"])[0].config["model"]
    assert model["inner"]["decode_head"]["dropout_ratio"] == 0.7
    assert model["inner"]["decode_head"]["channels"] == 3


def test_texts_stand_for_values_of_the_data_and_for_its_folder(load, prepared):
    table = load('title="Scenes",', 'title="Scenes", values={"{weight}": None, "{rate}": 0.5},')
    table = dataclasses.replace(
        table, methods={"ce": Method("CE", dict(custom_hooks=[dict(a="{weight}", b=["{rate}"], c="{clean_train}")]))}
    )
    config = table.cells(prepared)[0].config
    assert config["custom_hooks"] == [{"a": None, "b": [0.5], "c": "{clean_train}"}]
    assert at_folder(config, Path("/data"))["custom_hooks"][0]["c"] == "/data/clean/train"


def test_only_and_seeds_choose(load, prepared):
    table = load()
    assert [cell.seed for cell in table.cells(prepared, seeds=[7], only=["scenes-ce"])] == [7]
    with pytest.raises(ValueError, match="got voc"):
        table.cells(prepared, only=["ce", "voc"])


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ('reference = "ce"', 'reference = "mae"', ValueError, "reference: expected one of the methods, got 'mae'"),
        ('ce=dict(title="CE")', 'ce=dict(title="CE", labels="given")', ValueError, "labels of ce: .* got 'given'"),
        ('ce=dict(title="CE")', 'ce=dict(title="CE", cost=1)', TypeError, "cost"),
    ],
)
def test_a_wrong_table_is_refused(load, old, new, error, message):
    with pytest.raises(error, match=message):
        load(old, new)


def test_a_short_look_shortens_the_schedules_too(load, prepared):
    config = load("max_iters=2, val_interval=1", "max_iters=400, val_interval=40").cells(prepared, budget=0.1)[0].config
    assert (config["train_cfg"]["max_iters"], config["train_cfg"]["val_interval"]) == (40, 4)
    assert [(entry["begin"], entry["end"]) for entry in config["param_scheduler"]] == [(0, 2), (2, 40)]


@pytest.mark.parametrize(("name", "least"), [("losses", 15), ("adele", 7)])
def test_our_tables_name_only_what_there_is(repository, name, least):
    table = load_table(repository / "benchmarks" / f"{name}.py")
    assert {"camvid", "dsb2018", "scenes"} == set(table.data)
    assert list(table.seeds) == [0, 1, 2]
    text = Config({"methods": {name: dict(method.config) for name, method in table.methods.items()}}).to_dict()
    named = set(types(text))
    assert len(named) > least
    registries = (HOOKS, MODELS, TASK_UTILS, TRANSFORMS)
    unknown = {name for name in named if not any(registry.get(name) for registry in registries)}
    assert unknown <= {"mmseg.OHEMPixelSampler"}


def types(value):
    if isinstance(value, dict):
        yield from ([value["type"]] if "type" in value else [])
        for entry in value.values():
            yield from types(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from types(entry)
