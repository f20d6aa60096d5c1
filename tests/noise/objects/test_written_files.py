"""What models of this folder write, on real masks."""

import numpy as np
import orjson
import pytest
from pycocotools.coco import COCO

from noisyseg.labels.check import check_coco
from noisyseg.noise import generate_noise

RECIPE = {
    "type": "noisyseg.Recipe",
    "noises": [
        {"type": "noisyseg.Split", "rate": 0.3},
        {"type": "noisyseg.Merge", "rate": 0.3, "gap": 2},
        {"type": "noisyseg.Missing", "rate": 0.2, "protocol": "global_exact"},
        {"type": "noisyseg.Bogus", "rate": 0.2, "size": "log_normal", "spread": "proportional", "mask": "ellipse"},
    ],
}


@pytest.fixture(scope="module")
def written(coco_tiny_dir, tmp_path_factory):
    """Returns clean and noisy file, the latter as pycocotools reads it, and the manifest."""
    source = coco_tiny_dir / "annotations" / "instances_train2017.json"
    target = tmp_path_factory.mktemp("objects") / "noisy.json"
    manifest = generate_noise(RECIPE, source, target, seed=4)
    return COCO(str(source)), COCO(str(target)), manifest, source, target


def test_the_check_finds_nothing_new(written):
    _, noisy, _, source, target = written

    def found(path):
        return {(f.code, f.annotation) for f in check_coco(path) if f.severity != "info"}

    new = found(target) - found(source)
    # A box thinner than its mask is that of the input, whose polygons were thinner than a pixel.
    assert all(code == "bbox-mismatch" and "mask_changed" not in flags(noisy.anns[id_]) for code, id_ in new)
    assert len(new) <= 2


def flags(annotation):
    return annotation.get("noise", {"flags": []})["flags"]


def test_every_annotation_that_changed_is_tight(written):
    clean, noisy, _, _, _ = written
    for id_, annotation in noisy.anns.items():
        if id_ not in clean.anns or "mask_changed" in flags(annotation):
            frame = noisy.annToMask(annotation)
            rows, columns = np.nonzero(frame)
            x0, y0 = columns.min(), rows.min()
            assert annotation["bbox"] == [x0, y0, columns.max() + 1 - x0, rows.max() + 1 - y0]
            assert annotation["area"] == frame.sum()


def test_pieces_name_their_origin_and_lie_within(written):
    clean, noisy, manifest, _, _ = written
    pieces = [annotation for annotation in noisy.anns.values() if flags(annotation) == ["piece"]]
    assert len(pieces) == manifest["counts"]["piece"] > 50
    for piece in pieces:
        origin = clean.anns[piece["noise"]["source_id"]]
        assert (piece["image_id"], piece["category_id"]) == (origin["image_id"], origin["category_id"])
        if not any(entry["op"] == "Merge" for entry in piece["noise"]["chain"]):
            assert not (noisy.annToMask(piece) & ~clean.annToMask(origin)).any()


def test_ids_are_those_of_the_clean_file_without_the_removed_and_new_ones(written):
    clean, noisy, manifest, _, _ = written
    counts = manifest["counts"]
    known = noisy.anns.keys() & clean.anns.keys()
    assert len(known) == len(clean.anns) - counts["removed"]
    assert len(noisy.anns) == len(known) + counts["bogus"] + counts["piece"]
    assert min(noisy.anns.keys() - known) > max(clean.anns)


def test_the_same_seed_writes_the_same_file(written, tmp_path):
    *_, source, target = written
    generate_noise(RECIPE, source, tmp_path / "again.json", seed=4, workers=2)
    assert (tmp_path / "again.json").read_bytes() == target.read_bytes()
    assert orjson.loads(target.read_bytes())["images"]
