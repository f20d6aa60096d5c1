"""A table of two quick methods on four scenes."""

import pytest

from noisyseg.integration.benchmark import load_table, prepare_data

TABLE = """
name = "tiny"
title = "A tiny table"
base = {base!r}
seeds = [0, 1]
reference = "ce"
data = dict(
    scenes=dict(
        title="Scenes",
        prepare=dict(source="scenes", train=4, val=2, size=32, seed=0, recipe="components_mixed"),
        config=dict(
            train_cfg=dict(max_iters=2, val_interval=1),
            train_dataloader=dict(batch_size=2),
            model=dict(backbone=dict(base_channels=4), decode_head=dict(in_channels=4, channels=4)),
        ),
    ),
)
methods = dict(
    ce=dict(title="CE"),
    forward=dict(
        title="Forward",
        uses_noise_rate=True,
        config=dict(model=dict(decode_head=dict(loss_decode=dict(
            _delete_=True, type="noisyseg.ForwardCorrection", transition="{noise_matrix}", allow_weak_diagonal=True
        )))),
    ),
)
"""


@pytest.fixture(scope="session")
def table_text(repository):
    return TABLE.replace("{base!r}", repr(str(repository / "benchmarks" / "segmentation.py")))


@pytest.fixture(scope="session")
def load(tmp_path_factory, table_text):
    """Returns a table from the tiny one's text with something replaced."""

    def loaded(old="", new=""):
        assert old in table_text
        path = tmp_path_factory.mktemp("table") / "table.py"
        path.write_text(table_text.replace(old, new) if old else table_text)
        return load_table(path)

    return loaded


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    settings = dict(source="scenes", train=4, val=2, size=32, seed=0, recipe="components_mixed")
    return {"scenes": prepare_data(tmp_path_factory.mktemp("data"), settings)}


EDGE_TABLE = """
name, title, base, score, reference, ceiling, seeds = "e", "E", {base!r}, "ODS", "plain", "clean", [0, 1]
prepare = dict(kind="edges", source="scenes", train=4, val=2, size=32, seed=0, radius=1, recipe="edge_shift_4")
values = {"{tolerance}": 0.05, "{edge_suffix}": ".png"}
small = dict(
    train_cfg=dict(max_iters=3, val_interval=3),
    train_dataloader=dict(batch_size=2),
    model=dict(
        backbone=dict(stem_channels=4, base_channels=4), decode_head=dict(in_channels=[4, 4, 8, 32]), dilation=0
    ),
)
data = dict(
    scenes=dict(title="Scenes", prepare=prepare, values=values, config=small),
    again=dict(title="Again", prepare=prepare, values=values, config=small, seeds=[0]),
)
methods = dict(
    plain=dict(title="Plain"),
    clean=dict(title="Clean", labels="clean"),
    aligned=dict(title="Aligned", config=dict(model=dict(type="noisyseg.AlignedEdgeDetector", start=2))),
)
"""


@pytest.fixture(scope="session")
def edge_table(repository, tmp_path_factory):
    """A table of edges, of two data sets that are one."""
    path = tmp_path_factory.mktemp("table") / "edges.py"
    path.write_text(EDGE_TABLE.replace("{base!r}", repr(str(repository / "benchmarks" / "edge_detection.py"))))
    return load_table(path)


@pytest.fixture(scope="session")
def prepared_edges(edge_table, tmp_path_factory):
    root = tmp_path_factory.mktemp("edges")
    return {name: prepare_data(root, entry.prepare) for name, entry in edge_table.data.items()}
