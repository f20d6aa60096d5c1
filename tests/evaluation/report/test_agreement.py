import numpy as np
import pytest

from noisyseg.evaluation.report import agreement
from noisyseg.evaluation.report.tables import IMAGE, PAIR, SINGLE, Tables


def pairs(count=1, **columns):
    rows = np.zeros(count, PAIR)
    for name, values in columns.items():
        rows[name] = values
    return rows


def singles(*classes, piece=False):
    rows = np.zeros(len(classes), SINGLE)
    rows["class"] = classes
    rows["piece"] = piece
    return rows


def test_size_buckets_are_those_of_coco():
    assert agreement.size_buckets(np.array([0, 1023, 1024, 9215, 9216])).tolist() == [0, 0, 1, 1, 2]


def test_confusion_by_hand():
    rows = pairs(6, clean_class=[0, 0, 0, 0, 1, 1], noisy_class=[0, 0, 0, 1, 1, 0], crowd=[0, 0, 0, 0, 0, 1])
    added = np.concatenate([singles(1, 1), singles(0, piece=True)])
    found = agreement.confusion(Tables(rows, singles(0), added, np.zeros(1, IMAGE)), ("cat", "dog"))
    assert found["counts"] == [[3, 1, 1], [0, 1, 0], [0, 2, 0]]
    assert found["shares"] == [[0.75, 0.25], [0, 1]]
    assert found["flip_rate"] == 0.2
    assert found["flip_rate_per_class"] == [0.25, 0]
    entropy = -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25))
    assert found["entropy_bits_per_class"] == pytest.approx([entropy, 0], abs=1e-6)
    assert found["entropy_bits"] == pytest.approx(0.8 * entropy, abs=1e-6)


def test_ious_of_empty_masks():
    rows = pairs(3, clean_area=[0, 4, 4], noisy_area=[0, 0, 8], both=[0, 0, 4])
    assert agreement.mask_ious(rows).tolist() == [1, 0, 0.5]


def test_mask_agreement():
    rows = pairs(4, clean_area=10, noisy_area=10, both=[10, 10, 5, 0], same=[1, 1, 0, 0])
    rows["boundary_f"][:, 1] = [1, 1, 0.5, 0]
    rows["bias"] = [0, 0, -2, np.nan]
    found = agreement.mask_agreement(rows)
    assert found["changed"] == 2
    assert found["iou"]["mean"] == pytest.approx((2 + 1 / 3) / 4, abs=1e-6)
    assert found["dice"]["mean"] == pytest.approx((2 + 0.5) / 4)
    assert sum(found["iou"]["histogram"]["counts"]) == 4
    assert len(found["iou"]["histogram"]["counts"]) == 50
    assert found["iou_below"] == {"0.5": 0.5, "0.75": 0.5}
    assert found["boundary_f"]["2 px"] == 0.625
    assert (found["boundary_bias"]["count"], found["boundary_bias"]["undefined"]) == (3, 1)


def test_areas():
    found = agreement.area_agreement(pairs(4, clean_area=[10, 10, 20, 0], noisy_area=[20, 5, 0, 3]))
    assert found["ratio"]["mean"] == pytest.approx((2 + 0.5 + 0) / 3, abs=1e-6)
    assert found["ratio_of_sums"] == 25 / 40
    assert found["emptied"] == 1
    assert (found["share_larger"], found["share_smaller"]) == (
        pytest.approx(1 / 3, abs=1e-6),
        pytest.approx(2 / 3, abs=1e-6),
    )
    assert found["log_ratio"]["mean"] == pytest.approx(0)
    assert found["log_ratio"]["undefined"] == 2


def test_boxes():
    rows = pairs(3, clean_box=[[0, 0, 10, 20]] * 3, noisy_box=[[5, 0, 15, 20], [0, 0, 20, 20], [-1, 0, -0.5, 20]])
    images = np.zeros(1, IMAGE)
    images["height"], images["width"] = 30, 30
    found = agreement.box_agreement(rows, images, masks=False)
    assert found["iou"]["mean"] == pytest.approx((1 / 3 + 1 / 2 + 0) / 3, abs=1e-6)
    assert found["dx_over_w"]["mean"] == pytest.approx((0.5 + 0.5 - 0.575) / 3, abs=1e-6)
    assert found["log_w"]["p95"] == pytest.approx(np.log(2) * 0.9, abs=1e-6)
    assert found["log_h"]["mean"] == 0
    assert (found["degenerate"], found["changed"]) == (1, 3)
    assert found["share_inside"] == pytest.approx(2 / 3, abs=1e-6)


def test_a_box_is_stale_when_the_mask_moved_without_it():
    rows = pairs(
        3,
        clean_box=[[0, 0, 4, 4]] * 3,
        noisy_box=[[0, 0, 4, 4], [0, 0, 5, 4], [0, 0, 4, 4]],
        clean_tight=[[0, 0, 4, 4]] * 3,
        noisy_tight=[[0, 0, 5, 4], [0, 0, 5, 4], [0, 0, 4, 4]],
        clean_area=16,
        noisy_area=20,
    )
    assert agreement.stale_boxes(rows).tolist() == [True, False, False]
    consistency = agreement.box_agreement(rows, np.ones(1, IMAGE), masks=True)["consistency"]
    assert consistency["clean"]["mean"] == 1
    assert consistency["noisy"]["mean"] == pytest.approx((0.8 + 1 + 1) / 3, abs=1e-6)


def test_parts_and_holes():
    rows = pairs(3, clean_parts=[1, 2, 1], noisy_parts=[3, 1, 1], clean_holes=[1, 0, 0], noisy_holes=[0, 0, 0])
    images = np.zeros(2, IMAGE)
    images["noisy_twice"], images["noisy_claimed"] = [1, 2], [10, 20]
    found = agreement.topology(rows, images)
    assert found["parts"] == {"clean": 4, "noisy": 5, "lost": 1, "gained": 2, "objects_changed": 2}
    assert found["holes"] == {"clean": 1, "noisy": 0, "lost": 1, "gained": 0, "objects_changed": 1}
    assert found["overlap"] == {"clean": None, "noisy": 0.1}
