"""Makes sure that a label store belongs to the labels that a data set gives."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from mmengine.dist import barrier, is_main_process

from noisyseg.labels import LabelError
from noisyseg.labels.files import write_json
from noisyseg.labels.store import LabelStore

__all__ = ["require_different_keys", "require_same_given_labels"]

FILE = "given.json"


def require_same_given_labels(store: LabelStore, dataset: Any, classes: Sequence[str]) -> None:  # noqa: ANN401
    """Writes into a store what the given labels are, or checks that they are those it was made for.

    Compared are the bytes of all label files, in the order of the data set, the names of the classes, and how the data
    set changes class ids.

    Args:
        store: The store.
        dataset: A data set of mmseg or mmdet, or one around such ones.
        classes: Names of the classes.

    Raises:
        LabelError: The store was made for other labels, or a label file is not there.
    """
    if is_main_process():
        found = _description(dataset, classes)
        path = store.root / FILE
        if not path.exists():
            write_json(path, found)
        else:
            held = orjson.loads(path.read_bytes())
            for name in found:
                if held.get(name) != found[name]:
                    raise LabelError(
                        f"this store was made for other given labels: {name}: expected {held.get(name)}, got "
                        f"{found[name]}; name another folder, or remove this one",
                        file=path,
                    )
    barrier()


def require_different_keys(keys: Sequence[str]) -> None:
    """Checks that no two images have one key, under which their labels would be one file.

    Args:
        keys: Of all images that a store is written for.

    Raises:
        LabelError: Two have.
    """
    times: Mapping[str, int] = Counter(keys)
    key = max(times, key=times.get, default="")
    if times.get(key, 0) > 1:
        raise LabelError(
            f"key: expected one image for each key, got {times[key]} with {key!r}; img_dir=... in the step that reads "
            "the store makes folders a part of the key"
        )


def _description(dataset: Any, classes: Sequence[str]) -> Mapping[str, Any]:  # noqa: ANN401
    digest, count, seen = hashlib.blake2b(digest_size=16), 0, set()
    settings = []
    for inner in _leaves(dataset):
        label_map = getattr(inner, "label_map", None)
        settings.append(
            {
                "reduce_zero_label": bool(getattr(inner, "reduce_zero_label", False)),
                "label_map": None if label_map is None else {str(k): int(v) for k, v in sorted(label_map.items())},
            }
        )
        for path in _label_files(inner):
            if path not in seen:
                seen.add(path)
                digest.update(_bytes(path))
                count += 1
    return {"classes": list(classes), "files": count, "hash": digest.hexdigest(), "settings": settings}


def _leaves(dataset: Any) -> Iterator[Any]:  # noqa: ANN401
    inner = [
        part for part in (getattr(dataset, "dataset", None), *getattr(dataset, "datasets", ())) if part is not None
    ]
    if not inner:
        yield dataset
    for part in inner:
        yield from _leaves(part)


def _label_files(dataset: Any) -> Iterator[str]:  # noqa: ANN401
    """Yields the files: one an image in mmseg, one for all in mmdet."""
    if getattr(dataset, "ann_file", "") and Path(dataset.ann_file).suffix == ".json":
        yield dataset.ann_file
        return
    for index in range(len(dataset)):
        yield dataset.get_data_info(index)["seg_map_path"]


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise LabelError("expected a file of given labels, got none", file=path) from error
