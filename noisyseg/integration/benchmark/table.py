"""What a benchmark table is made of, and which trainings it asks for.

A table is a config file with

- ``name``, ``title``, ``base`` (config of a training, beside the table), ``seeds``
- ``data``: name → ``title``, ``prepare`` (see `noisyseg.integration.benchmark.prepare.prepare_data`) and, where it is
  needed, ``config``, a difference to the base, ``values``, what texts in differences stand for with these data, and
  ``seeds``, where they are other ones than the table's
- ``methods``: name → ``title``, ``config`` (a difference to the base), and the optional ``labels`` (``noisy`` or
  ``clean``), ``data`` (the data sets where the method makes sense), ``uses_noise_rate``, ``uses_clean_labels`` (it is
  told some that it is not trained on), ``note``
- ``reference``: the method that all others are compared with
- ``score``: what it is about, ``mIoU`` unless said otherwise, see `noisyseg.integration.benchmark.score_names.SCORES`
- ``ceiling``: the method that shows what could be reached, such as one trained with clean labels; the page then says
  which share of the reference's loss against it each method recovers
- ``notes``: paragraphs for the page

In the base and in differences the text ``{num_classes}`` stands for the number of classes, ``{noise_matrix}`` for the
measured shares of class i that the noise calls j (not for edges), and ``{clean_train}`` for the folder of the training
images' clean labels, for analysis and for oracles. In a difference the dict ``{"{model}": difference}`` stands for the
base's model with that difference, so that a wrapper can be put around it.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from noisyseg.integration.benchmark.prepare import PreparedData, stable_hash
from noisyseg.integration.benchmark.score_names import SCORES, ScoreName

__all__ = ["Cell", "DataSet", "Method", "Table", "at_folder", "load_table"]

RUNNER_FIELDS = frozenset(inspect.signature(Runner.__init__).parameters) - {"self", "cfg", "data_preprocessor"}
"""What of a base config is the training's; all other names in it are helpers of the file."""
MODEL = "{model}"
STAGES = {
    "noisyseg.PNTEdgeStages": ("warmup", "shift", "edge", "joint"),
    "noisyseg.AlignedEdgeDetector": ("start",),
}
"""Settings that are numbers of iterations, one stage after the other."""
NOISY_FOLDERS = ("noisy/train", "noisy_thin/train")
"""Folders of a base config that stand for those of the labels that a method is trained with."""

VERSION = 1
"""Goes up whenever the same config gives another row."""


@dataclass(frozen=True)
class DataSet:
    """A data set of a table; see the module for the fields."""

    title: str
    prepare: Mapping[str, Any]
    config: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    seeds: Sequence[int] | None = None


@dataclass(frozen=True)
class Method:
    """A method of a table; see the module for the fields."""

    title: str
    config: Mapping[str, Any] = field(default_factory=dict)
    labels: str = "noisy"
    data: Sequence[str] | None = None
    uses_noise_rate: bool = False
    uses_clean_labels: bool = False
    note: str = ""


@dataclass(frozen=True)
class Cell:
    """One training.

    Attributes:
        data: Name of the data set.
        method: Name of the method.
        seed: Seed of the weights and of the order of the images.
        config: The whole config, but for the folder of the data.
        flags: What the method was told beyond the labels: ``uses_clean_images``, ``uses_noise_rate`` and
            ``selection_on_noisy_val``.
        key: Hash of config, seed and the pixels that it is trained and judged on.
        score: What it is judged by.
    """

    data: str
    method: str
    seed: int
    config: Mapping[str, Any]
    flags: Mapping[str, bool]
    key: str
    score: ScoreName = SCORES["mIoU"]

    @property
    def name(self) -> str:
        """Name of the cell's files."""
        return f"{self.data}-{self.method}-{self.seed}-{self.key}"


@dataclass(frozen=True)
class Table:
    """A table; see the module for the fields."""

    name: str
    title: str
    base: Mapping[str, Any]
    seeds: Sequence[int]
    data: Mapping[str, DataSet]
    methods: Mapping[str, Method]
    reference: str
    notes: Sequence[str] = ()
    score: ScoreName = SCORES["mIoU"]
    ceiling: str | None = None

    def cells(
        self,
        prepared: Mapping[str, PreparedData],
        *,
        seeds: Sequence[int] | None = None,
        only: Sequence[str] = (),
        budget: float = 1.0,
    ) -> list[Cell]:
        """Returns the trainings of the table, all methods of the first seed first.

        Args:
            prepared: The data sets by their names.
            seeds: Other seeds than the table's, for all data sets.
            only: Words; a cell is among them if one of them is its data set, its method or ``data-method``.
            budget: Share of the iterations, for a quick look.

        Raises:
            ValueError: A word of ``only`` fits no cell.
        """
        cells = [
            self.cell(data, method, seed, prepared[data], budget)
            for seed in (self._all_seeds() if seeds is None else seeds)
            for data, method in self.pairs()
            if not only or {data, method, f"{data}-{method}"} & set(only)
            if seeds is not None or seed in self._seeds(data)
        ]
        unknown = set(only) - {
            word for cell in cells for word in (cell.data, cell.method, f"{cell.data}-{cell.method}")
        }
        if unknown:
            raise ValueError(f"only: expected data sets, methods or data-method, got {', '.join(sorted(unknown))}")
        return cells

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yields data set and method of each row of cells."""
        for data in self.data:
            for name, method in self.methods.items():
                if method.data is None or data in method.data:
                    yield data, name

    def _seeds(self, data: str) -> Sequence[int]:
        own = self.data[data].seeds
        return self.seeds if own is None else own

    def _all_seeds(self) -> list[int]:
        """Returns the seeds of all data sets, each once, the table's first."""
        return list(dict.fromkeys([*self.seeds, *(seed for data in self.data for seed in self._seeds(data))]))

    def cell(self, data: str, method: str, seed: int, prepared: PreparedData, budget: float = 1.0) -> Cell:
        """Returns one training."""
        config = self._config(data, method, prepared, budget)
        chosen = self.methods[method]
        flags = {
            "uses_clean_images": chosen.labels == "clean" or chosen.uses_clean_labels,
            "uses_noise_rate": chosen.uses_noise_rate,
            "selection_on_noisy_val": False,
        }
        key = stable_hash([VERSION, config, seed, prepared.fingerprint])
        return Cell(data, method, seed, config, flags, key, self.score)

    def _config(self, data: str, method: str, prepared: PreparedData, budget: float) -> dict[str, Any]:
        texts = {"{num_classes}": len(prepared.classes), **self.data[data].values}
        if prepared.kind == "maps":
            texts["{noise_matrix}"] = prepared.transitions.round(6).tolist()
        config = Config(_filled(copy.deepcopy(dict(self.base)), texts))
        for difference in (self.data[data].config, self.methods[method].config):
            texts[MODEL] = config["model"].to_dict()  # for a method, with what its data set changes
            config.merge_from_dict(_filled(copy.deepcopy(difference), texts))
        document = {name: value for name, value in config.to_dict().items() if name in RUNNER_FIELDS}
        if budget != 1:
            _shorten(document, budget)
        _set_everywhere(document["model"], "num_classes", len(prepared.classes))
        for dataset in _data_sets(document):
            dataset["metainfo"] = {"classes": list(prepared.classes)}
            _set_everywhere(dataset["pipeline"], "num_classes", len(prepared.classes))
            for name, folder in dataset["data_prefix"].items():
                if folder in NOISY_FOLDERS:
                    dataset["data_prefix"][name] = folder.replace("noisy", self.methods[method].labels)
        return document


def load_table(path: str | Path) -> Table:
    """Returns the table that a config file describes.

    Raises:
        FileNotFoundError: There is no such file, or its base is none.
        ValueError: The reference or the ceiling is no method, the score is unknown, or labels are neither clean nor
            noisy.
        TypeError: A field is missing or unknown.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such table")
    fields = Config.fromfile(path).to_dict()
    score = fields.get("score", "mIoU")
    if score not in SCORES:
        raise ValueError(f"{path}: score: expected one of {', '.join(SCORES)}, got {score!r}")
    table = Table(
        name=fields["name"],
        title=fields["title"],
        base=Config.fromfile(path.parent / fields["base"]).to_dict(),
        seeds=fields["seeds"],
        data={name: DataSet(**entry) for name, entry in fields["data"].items()},
        methods={name: Method(**entry) for name, entry in fields["methods"].items()},
        reference=fields["reference"],
        notes=fields.get("notes", ()),
        score=SCORES[score],
        ceiling=fields.get("ceiling"),
    )
    for role, name in (("reference", table.reference), ("ceiling", table.ceiling)):
        if name not in table.methods and not (role == "ceiling" and name is None):
            raise ValueError(f"{path}: {role}: expected one of the methods, got {name!r}")
    for name, method in table.methods.items():
        if method.labels not in ("clean", "noisy"):
            raise ValueError(f"{path}: labels of {name}: expected 'clean' or 'noisy', got {method.labels!r}")
    return table


def at_folder(config: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Returns the config of a cell with the data at a folder."""
    document = _filled(copy.deepcopy(dict(config)), {"{clean_train}": str(folder / "clean" / "train")})
    for dataset in _data_sets(document):
        dataset["data_root"] = str(folder)
    return document


def _data_sets(value: object) -> Iterator[dict[str, Any]]:
    """Yields each config of a data set of files that is used."""
    if isinstance(value, Mapping) and "data_prefix" in value and "pipeline" in value:
        yield value
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _data_sets(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _data_sets(entry)


def _shorten(document: dict[str, Any], budget: float) -> None:
    """Takes a share of the iterations, of the pauses between validations, of the schedules and of stages."""
    for entry in _with_type(document, STAGES):
        end = done = 0
        for name in (name for name in STAGES[entry["type"]] if name in entry):
            end += entry[name]
            entry[name], done = round(end * budget) - done, round(end * budget)
    for entry, names in [
        (document["train_cfg"], ("max_iters", "val_interval")),
        *((schedule, ("begin", "end")) for schedule in document.get("param_scheduler") or ()),
    ]:
        if unknown := entry.keys() & {"periods", "milestones"}:
            raise ValueError(f"budget: cannot shorten {', '.join(unknown)} of {entry['type']}")
        for name in (name for name in names if name in entry):
            entry[name] = max(round(entry[name] * budget), int(entry[name] > 0))


def _with_type(value: object, types: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yields each config with one of the types, at any depth."""
    if isinstance(value, Mapping):
        if value.get("type") in types:
            yield value
        value = list(value.values())
    if isinstance(value, list | tuple):
        for entry in value:
            yield from _with_type(entry, types)


def _set_everywhere(value: object, key: str, new: object) -> None:
    if isinstance(value, dict):
        for name, entry in value.items():
            if name == key:
                value[name] = new
            else:
                _set_everywhere(entry, key, new)
    elif isinstance(value, list | tuple):
        for entry in value:
            _set_everywhere(entry, key, new)


def _filled(value: Any, texts: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any config
    """Returns the value with placeholders replaced."""
    if isinstance(value, Mapping) and set(value) == {MODEL}:
        whole = Config({"model": copy.deepcopy(texts[MODEL])})
        whole.merge_from_dict({"model": _filled(value[MODEL], texts)})
        return whole.to_dict()["model"]
    if isinstance(value, Mapping):
        return {name: _filled(entry, texts) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(entry, texts) for entry in value]
    return texts[value] if isinstance(value, str) and value in texts else value
