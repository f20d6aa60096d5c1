import numpy as np

from noisyseg.evaluation.label_diff.pixels import FATES, MapCounts, fates_of_maps, fates_of_masks

OLD = np.array([[0, 0, 0, 0, 1, 255, 0]], np.uint8)
NEW = np.array([[0, 1, 1, 1, 1, 1, 255]], np.uint8)
CLEAN = np.array([[1, 1, 0, 2, 255, 1, 255]], np.uint8)


def test_a_changed_pixel_is_right_wrong_neither_or_unknown():
    names = {number: name for name, number in FATES.items()} | {0: "same"}
    assert [names[k] for k in fates_of_maps(OLD, NEW, CLEAN)[0]] == [
        "same",
        "right",
        "wrong",
        "neither",
        "same",
        "right",
        "unknown",
    ]
    assert [names[k] for k in fates_of_maps(OLD, NEW, None)[0]] == ["same", *["unknown"] * 3, "same", *["unknown"] * 2]


def test_a_changed_pixel_of_a_mask_is_right_or_wrong():
    old, new, clean = (np.array([[int(c) for c in text]], bool) for text in ("0011", "0101", "0110"))
    assert fates_of_masks(old, new, clean)[0].tolist() == [0, FATES["right"], FATES["wrong"], 0]
    assert fates_of_masks(old, new, None)[0].tolist() == [0, FATES["unknown"], FATES["unknown"], 0]


def test_counts_are_those_of_a_loop_over_pixels():
    rng = np.random.default_rng(0)
    maps = [[rng.choice([0, 1, 2, 254, 255], (9, 7)).astype(np.uint8) for _ in range(3)] for _ in range(4)]
    counts = MapCounts()
    sums = sum(counts.add(*image) for image in maps)
    moves, fates, before, after = (np.zeros_like(table) for table in vars(counts).values())
    for old, new, clean in maps:
        for a, b, c in zip(old.ravel(), new.ravel(), clean.ravel(), strict=True):
            moves[a, b] += 1
            before[c, a] += 1
            after[c, b] += 1
            if a != b:
                fates[4 if c == 255 else 1 if b == c else 2 if a == c else 3, a, b] += 1
    for found, expected in zip(vars(counts).values(), (moves, fates, before, after), strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(sums[1:], fates.sum(axis=(1, 2))[1:])


def test_an_image_that_did_not_change_counts_like_one_that_was_compared_with_itself():
    rng = np.random.default_rng(1)
    old, clean = (rng.choice([0, 3, 255], (8, 8)).astype(np.uint8) for _ in range(2))
    one, other = MapCounts(), MapCounts()
    one.add(old, old, clean)
    other.add_same(old, clean)
    for a, b in zip(vars(one).values(), vars(other).values(), strict=True):
        np.testing.assert_array_equal(a, b)
