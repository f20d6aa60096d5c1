import json

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from noisyseg.evaluation.report import agreement
from noisyseg.evaluation.report.matching import Pairing
from noisyseg.evaluation.report.measuring import measure_files
from noisyseg.labels import LabelError
from noisyseg.labels.coco_text import CocoText

BY_ID, BY_IOU = Pairing("id", 0, "test"), Pairing("iou", 0, "test")


def measured(clean, noisy, pairing=BY_ID, workers=1):
    clean, noisy = CocoText(clean), CocoText(noisy)
    images = [(id_, id_) for id_ in clean.images]
    return measure_files(
        clean, noisy, images, np.arange(len(noisy.categories)), pairing, workers=workers, progress=False
    )


def row(tables, id_):
    (found,) = tables.pairs[tables.pairs["clean_id"] == id_]
    return found


def test_every_kind_of_mistake_is_seen(mistakes):
    tables = measured(*mistakes)
    assert tables.pairs["clean_id"].tolist() == [1, 2, 3, 5, 6, 7, 8]
    assert tables.missing["id"].tolist() == [4]
    assert tables.added["id"].tolist() == [20, 21]
    assert tables.added["piece"].tolist() == [False, True]
    assert tables.ops == ["Bogus", "Split"]
    assert row(tables, 1)["same"]
    assert row(tables, 1)["distance"] == row(tables, 1)["bias"] == 0
    assert (row(tables, 2)["clean_class"], row(tables, 2)["noisy_class"], row(tables, 2)["same"]) == (0, 1, True)
    assert row(tables, 3)["both"] == 80
    assert row(tables, 3)["noisy_tight"].tolist() == [4, 20, 14, 30]
    assert row(tables, 5)["noisy_area"] == 144
    assert row(tables, 5)["bias"] == pytest.approx(1, abs=0.05)
    assert row(tables, 6)["noisy_holes"] == 1
    assert row(tables, 6)["clean_holes"] == 0
    assert row(tables, 7)["noisy_box"].tolist() == [41, 5, 51, 15]
    assert row(tables, 8)["crowd"]
    assert not row(tables, 8)["same"]
    assert tables.images["noisy_twice"].tolist() == [0, 0]
    assert tables.images["clean_objects"].tolist() == [5, 2]
    assert agreement.stale_boxes(tables.pairs)[tables.pairs["clean_id"] == 5].all()


def test_any_number_of_workers_gives_the_same_rows(mistakes, monkeypatch):
    monkeypatch.setattr("noisyseg.evaluation.report.measuring.TASK_SIZE", 1)
    one, two = measured(*mistakes), measured(*mistakes, workers=2)
    for name in ("pairs", "missing", "added", "images"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()
    assert one.ops == two.ops


def test_a_clean_file_agrees_with_itself_by_iou_as_by_id(coco_tiny_dir):
    path = coco_tiny_dir / "annotations" / "instances_val2017.json"
    by_id, by_iou = measured(path, path), measured(path, path, BY_IOU)
    assert by_id.pairs["same"].all()
    assert (by_id.pairs["boundary_f"] == 1).all()
    assert len(by_id.missing) == len(by_id.added) == len(by_iou.missing) == len(by_iou.added) == 0
    assert by_iou.pairs["same"].all()


def test_measures_of_real_masks_are_those_of_pycocotools(coco_tiny_dir, tmp_path):
    path = coco_tiny_dir / "annotations" / "instances_train2017.json"
    document = json.loads(path.read_text())
    # Every mask is moved by three pixels: what leaves the frame is cut.
    index = CocoText(path)
    from noisyseg.labels.coco import read_coco

    coco = read_coco(path)
    expected, moved = {}, []
    for image_id in list(index.images)[:12]:
        labels = coco.instances(image_id)
        for i, id_ in enumerate(labels.source.tolist()):
            frame = labels.masks[i].frame()
            shifted = np.zeros_like(frame)
            shifted[:, 3:] = frame[:, :-3]
            codes = [coco_mask.encode(np.asfortranarray(pixels)) for pixels in (frame, shifted)]
            expected[id_] = float(coco_mask.iou(codes[:1], codes[1:], [0])[0, 0])
            code = {"size": list(frame.shape), "counts": codes[1]["counts"].decode()}
            (given,) = (a for a in coco.annotations_of(image_id) if a["id"] == id_)
            moved.append(given | {"segmentation": code})
    noisy = tmp_path / "noisy.json"
    noisy.write_text(json.dumps(document | {"annotations": moved}))
    tables = measured(path, noisy)
    ious = dict(zip(tables.pairs["clean_id"].tolist(), agreement.mask_ious(tables.pairs).tolist(), strict=True))
    assert ious == pytest.approx(expected)


def test_boxes_only(write):
    clean = [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [2, 2, 10.5, 10]}]
    noisy = [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [2, 2, 10.5, 20]}]
    tables = measured(write("clean.json", clean), write("noisy.json", noisy))
    assert not tables.pairs["same"].any()
    assert np.isnan(tables.pairs["both"]).all()
    assert tables.pairs["clean_area"].tolist() == [105]
    assert agreement.pair_ious(tables.pairs, masks=False).tolist() == [0.5]


def test_a_bad_annotation_is_named_with_its_file(write, annotation, mistakes):
    bad = write("bad.json", [annotation(3, (1, 1, 2, 2), segmentation=[[1, 1]])])
    with pytest.raises(LabelError, match=r"bad\.json: annotation 3"):
        measured(mistakes[0], bad)


def test_both_ways_of_a_coin_are_told_apart(write, annotation):
    clean = [annotation(k, (2 + 12 * k, 2, 10, 10)) for k in range(1, 4)]
    noisy = [
        one | {"noise": {"chain": [{"op": "Scale", "draws": {"grow": grow}}], "flags": ["vanished"] * (not grow)}}
        for one, grow in zip(clean, (True, False, True), strict=True)
    ]
    tables = measured(write("clean.json", clean), write("noisy.json", noisy))
    assert tables.ops == ["Scale", "Scale, grow", "Scale, not grow"]
    assert tables.pairs["ops"].tolist() == [0b011, 0b101, 0b011]
    assert tables.pairs["vanished"].tolist() == [False, True, False]


def test_pixels_claimed_twice(write, annotation):
    clean = [annotation(1, (2, 2, 10, 10)), annotation(2, (7, 2, 10, 10)), annotation(3, (0, 0, 40, 40), iscrowd=1)]
    tables = measured(write("clean.json", clean), write("noisy.json", clean[:1]))
    assert tables.images["clean_claimed"].tolist() == [150, 0]
    assert tables.images["clean_twice"].tolist() == [50, 0]
    assert tables.images["noisy_twice"].tolist() == [0, 0]
