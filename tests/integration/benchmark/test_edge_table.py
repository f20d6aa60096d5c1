import dataclasses

import numpy as np
import pytest
from mmengine.config import Config

from noisyseg.integration.benchmark import load_table, run_cells, write_report
from noisyseg.integration.benchmark.run import read_row
from noisyseg.integration.benchmark.scores import recovered, scores_of


def row(method, seed, last, data="scenes"):
    when = {"iteration": 1, "ods": last, "ois": last + 1, "ap": last - 1, "classes": {"blob": last}}
    return {
        "key": f"{method}{seed}",
        "data": data,
        "method": method,
        "seed": seed,
        "iterations": 3,
        "best": when,
        "last": when,
        "curve": {"iterations": [3], "clean": [last], "given": [10.0]},
        "uses_clean_images": False,
        "uses_noise_rate": False,
        "selection_on_noisy_val": False,
        "extra_forward_passes": 0.0,
        "peak_mem": 500.0,
        "seconds": 20.0,
        "cpu_seconds": 19.0,
        "device": "CPU",
    }


def rows(clean, aligned, data="scenes"):
    plain = [40.0, 42.0]
    return [
        row(method, seed, score, data)
        for method, scores in (("plain", plain), ("clean", clean), ("aligned", aligned))
        for seed, score in enumerate(scores)
    ]


def config_of(edge_table, prepared_edges, method, **choice):
    return edge_table.cells(prepared_edges, only=[f"scenes-{method}"], **choice)[0].config


def test_what_the_base_leaves_open_is_filled_in(edge_table, prepared_edges):
    config = config_of(edge_table, prepared_edges, "plain")
    clean, given = config["val_dataloader"]["dataset"]["datasets"]
    assert (clean["edge_suffix"], config["val_evaluator"][0]["metric"]["protocol"]["tolerance"]) == (".png", 0.05)
    assert config["model"]["decode_head"]["num_classes"] == 6
    loads = [step["num_classes"] for part in (clean, given) for step in part["pipeline"] if "num_classes" in step]
    assert loads == [6, 6]
    assert "{" not in str(config).replace("{'", "").replace("{}", "")


@pytest.mark.parametrize(("method", "labels"), [("plain", "noisy"), ("clean", "clean")])
def test_a_method_has_its_labels_wide_for_training_and_thin_for_judging(edge_table, prepared_edges, method, labels):
    config = config_of(edge_table, prepared_edges, method)
    assert config["train_dataloader"]["dataset"]["data_prefix"]["edge_path"] == f"{labels}/train"
    clean, given = config["val_dataloader"]["dataset"]["datasets"]
    assert clean["data_prefix"]["edge_path"] == "clean/val"
    assert given["data_prefix"]["edge_path"] == f"{labels}_thin/train"


def test_a_data_set_may_have_seeds_of_its_own(edge_table, prepared_edges):
    cells = edge_table.cells(prepared_edges)
    assert {data: {cell.seed for cell in cells if cell.data == data} for data in edge_table.data} == {
        "scenes": {0, 1},
        "again": {0},
    }
    assert {(cell.data, cell.seed) for cell in edge_table.cells(prepared_edges, seeds=[7])} == {
        ("scenes", 7),
        ("again", 7),
    }


def test_a_short_look_keeps_the_stages_in_proportion(edge_table, prepared_edges):
    hook = dict(type="noisyseg.PNTEdgeStages", warmup=5, shift=3, edge=5)
    longer = {"train_cfg": dict(max_iters=13, val_interval=13)}
    methods = {"plain": dataclasses.replace(edge_table.methods["plain"], config=longer | {"custom_hooks": [hook]})}
    for budget in (0.3, 0.5, 0.9):
        config = config_of(dataclasses.replace(edge_table, methods=methods), prepared_edges, "plain", budget=budget)
        lengths = [config["custom_hooks"][0][name] for name in ("warmup", "shift", "edge")]
        assert sum(lengths) == config["train_cfg"]["max_iters"]
        np.testing.assert_allclose(lengths, [5 * budget, 3 * budget, 5 * budget], atol=1)
    assert config_of(edge_table, prepared_edges, "aligned", budget=0.5)["model"]["start"] == 1
    rates = {"param_scheduler": [dict(type="mmengine.CosineRestartLR", periods=[5, 8])]}
    methods = {"plain": dataclasses.replace(edge_table.methods["plain"], config=rates)}
    with pytest.raises(ValueError, match=r"cannot shorten periods of mmengine\.CosineRestartLR"):
        config_of(dataclasses.replace(edge_table, methods=methods), prepared_edges, "plain", budget=0.5)


def test_a_cell_is_trained_and_judged_by_ods(edge_table, prepared_edges, tmp_path):
    cells = edge_table.cells(prepared_edges, seeds=[0], only=["scenes-aligned"])
    folders = {name: data.folder for name, data in prepared_edges.items()}
    said = []
    outcome = run_cells(cells, folders, tmp_path, processes=1, say=said.append)
    assert outcome.failed == []
    row = read_row(tmp_path, cells[0])
    assert {"ods", "ois", "ap", "classes", "iteration"} == set(row["last"])
    assert 0 <= row["last"]["ods"] <= 100
    assert row["curve"]["clean"] == [row["last"]["ods"]]
    assert f"last {row['last']['ods']:5.1f}" in said[-1]


def test_the_share_that_is_recovered():
    scores = scores_of(rows([50.0, 50.0], [46.0, 45.0]), "plain", "ods")
    whole = scores["scenes", "clean"]
    assert recovered(scores["scenes", "aligned"], whole) == pytest.approx((6 + 3) / (10 + 8))
    assert recovered(whole, whole) == 1
    assert recovered(scores["scenes", "plain"], whole) == 0
    one = scores_of(rows([50.0, 50.0], [46.0]), "plain", "ods")
    assert recovered(one["scenes", "aligned"], one["scenes", "clean"]) == pytest.approx(0.6)


@pytest.mark.parametrize("clean", [[40.5, 42.5], [35.0, 40.0]])
def test_where_nothing_is_lost_there_is_no_share(clean):
    scores = scores_of(rows(clean, [46.0, 45.0]), "plain", "ods")
    assert np.isnan(recovered(scores["scenes", "aligned"], scores["scenes", "clean"]))


def test_the_page_says_what_is_recovered(edge_table, prepared_edges, tmp_path):
    cells = edge_table.cells(prepared_edges, seeds=[0, 1])
    own = rows([50.0, 50.0], [46.0, 45.0]) + rows([50.0, 50.0], [41.0, 43.0], "again")
    page = write_report(edge_table, prepared_edges, cells, own, tmp_path / "results", tmp_path / "page.md")
    text = page.read_text()
    assert "| data | loss | Aligned |" in text
    assert "| Scenes | 9.0 | 50% |" in text
    assert "| Again | 9.0 | 11% |" in text
    assert "**Aligned** recovers at least half on 1 of 2 with several seeds." in text
    assert "6 classes. Noise `edge_shift_4`, seed 0: noisy edge pixels lie" in text
    header = (tmp_path / "results" / "cells.csv").read_text().splitlines()[0]
    assert "best_ods" in header
    assert "last_ap" in header
    assert "miou" not in header


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('ceiling = "ce"', 'ceiling = "mae"', "ceiling: expected one of the methods, got 'mae'"),
        ('score = "mIoU"', 'score = "accuracy"', "score: expected one of mIoU, ODS, got 'accuracy'"),
    ],
)
def test_a_wrong_score_or_ceiling_is_refused(load, old, new, message):
    load("seeds = [0, 1]", f"seeds = [0, 1]\n{old}")
    with pytest.raises(ValueError, match=message):
        load("seeds = [0, 1]", f"seeds = [0, 1]\n{new}")


def test_our_table_is_complete(repository):
    table = load_table(repository / "benchmarks" / "pnt_edge.py")
    assert {entry.prepare["recipe"] for entry in table.data.values()} == {
        "edge_shift_2",
        "edge_shift_4",
        "edge_shift_8",
    }
    assert (table.score.name, table.reference, table.ceiling) == ("ODS", "noisy", "clean")
    for method, stages in (("published", ("warmup", "shift", "edge")), ("joint", ("warmup", "joint"))):
        hook = Config(dict(table.methods[method].config)).custom_hooks[0]
        assert sum(hook[stage] for stage in stages) == table.base["train_cfg"]["max_iters"]
