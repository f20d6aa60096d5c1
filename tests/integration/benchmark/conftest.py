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


@pytest.fixture
def load(tmp_path, table_text):
    """Returns a table from the tiny one's text with something replaced."""

    def loaded(old="", new=""):
        assert old in table_text
        path = tmp_path / "table.py"
        path.write_text(table_text.replace(old, new) if old else table_text)
        return load_table(path)

    return loaded


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    settings = dict(source="scenes", train=4, val=2, size=32, seed=0, recipe="components_mixed")
    return {"scenes": prepare_data(tmp_path_factory.mktemp("data"), settings)}
