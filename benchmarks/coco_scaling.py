"""Make large COCO files out of small ones."""

from __future__ import annotations

import json
from pathlib import Path


def write_scaled(path: Path, count: int, out: Path) -> Path:
    """Writes ``count`` annotations made of the file's own, its images repeated under new ids and names."""
    document = json.loads(path.read_bytes())
    place = {image["id"]: i for i, image in enumerate(document["images"])}
    images, annotations = [], []
    while len(annotations) < count:
        first = len(images)
        for i, image in enumerate(document["images"]):
            images.append(image | {"id": first + i + 1, "file_name": f"{first}/{image['file_name']}"})
        for annotation in document["annotations"][: count - len(annotations)]:
            new = {"id": len(annotations) + 1, "image_id": first + place[annotation["image_id"]] + 1}
            annotations.append(annotation | new)
    out.write_text(json.dumps(document | {"images": images, "annotations": annotations}))
    return out


def write_shards(path: Path, count: int, folder: Path) -> Path:
    """Writes the images of a COCO file and their annotations into ``count`` files of a new folder, which it returns."""
    document = json.loads(path.read_bytes())
    folder.mkdir()
    size = -(-len(document["images"]) // count)
    shard_of = {image["id"]: i // size for i, image in enumerate(document["images"])}
    annotations: list[list[dict]] = [[] for _ in range(count)]
    for annotation in document["annotations"]:
        annotations[shard_of[annotation["image_id"]]].append(annotation)
    for number, entries in enumerate(annotations):
        images = document["images"][number * size : (number + 1) * size]
        shard = document | {"images": images, "annotations": entries}
        (folder / f"train_{number:03}.json").write_text(json.dumps(shard))
    return folder
