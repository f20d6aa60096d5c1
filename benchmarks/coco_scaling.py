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
