import numpy as np

from noisyseg.evaluation.report import counts
from noisyseg.evaluation.report.tables import IMAGE, PAIR, SINGLE, Tables


def tables():
    pairs = np.zeros(5, PAIR)
    pairs["clean_class"], pairs["noisy_class"] = [0, 0, 1, 1, 1], [0, 1, 1, 1, 0]
    pairs["crowd"] = [0, 0, 0, 0, 1]
    pairs["same"] = [1, 1, 1, 0, 1]
    pairs["vanished"] = [0, 0, 1, 0, 0]
    pairs["clean_area"], pairs["noisy_area"] = [10, 10, 2000, 2000, 10], [10, 10, 2000, 0, 10]
    pairs["both"] = [10, 10, 2000, 0, 10]
    pairs["ops"] = [0, 0b1, 0b11, 0, 0]
    pairs["clean_tight"] = [0, 3, 9, 9]
    pairs["clean_tight"][0] = [2, 2, 9, 9]
    missing, added = np.zeros(1, SINGLE), np.zeros(2, SINGLE)
    missing["area"] = 10_000
    added["piece"], added["class"], added["ops"] = [True, False], 1, [0b10, 0]
    images = np.zeros(2, IMAGE)
    images["clean_objects"], images["noisy_objects"] = [4, 1], [6, 0]
    images["height"] = images["width"] = 50
    return Tables(pairs, missing, added, images, ["Scale", "Swap"])


def test_overall():
    found = counts.overall_counts(tables(), masks=True)
    assert found == {
        "images": 2,
        "clean_objects": 5,
        "noisy_objects": 6,
        "pairs": 4,
        "untouched": 2,
        "class_changed": 1,
        "box_changed": 0,
        "missing": 1,
        "bogus": 1,
        "pieces": 1,
        "vanished_restored": 1,
        "crowd_pairs": 1,
        "crowds_changed": 0,
        "images_emptied": 1,
        "mask_changed": 1,
        "vanished_kept": 1,
        "empty_masks": 1,
        "touching_border": 3,
    }
    assert "mask_changed" not in counts.overall_counts(tables(), masks=False)


def test_by_size_and_by_class():
    small, medium, large = counts.by_size(tables(), masks=True)
    assert (small["clean"], small["flip_rate"], small["bogus"]) == (2, 0.5, 1)
    assert (medium["clean"], medium["mean_iou"]) == (2, 0.5)
    assert (large["clean"], large["missing"], large["mean_iou"]) == (1, 1, None)
    cat, dog = counts.by_class(tables(), ("cat", "dog", "cow"), masks=True)
    assert (cat["class"], cat["clean"], cat["missing"], cat["flipped"], cat["flipped_into"]) == ("cat", 3, 1, 1, 0)
    assert (dog["class"], dog["clean"], dog["bogus"], dog["flipped_into"]) == ("dog", 2, 1, 1)


def test_by_operation():
    scale, swap = counts.by_operation(tables(), masks=True)
    assert (scale["op"], scale["pairs"], swap["pairs"]) == ("Scale", 2, 1)
    assert counts.operation_counts(tables()) == {"Scale": 2, "Swap": 2}
