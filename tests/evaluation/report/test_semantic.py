import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from scipy import ndimage

from noisyseg.evaluation.report.semantic import BANDS, compare_maps, count_maps
from noisyseg.labels import LabelError

MAPS = arrays.arrays(np.uint8, (9, 12), elements=st.sampled_from([0, 1, 2, 255]))


def halves(at):
    """Return a map with class 0 left of column ``at`` and class 1 from it on."""
    labels = np.zeros((20, 40), np.uint8)
    labels[:, at:] = 1
    return labels


def test_a_moved_boundary_is_near_the_clean_one():
    counts = count_maps(halves(20), halves(22))
    assert counts.flipped.tolist() == [20, 40, 40, 40, 40, 40]
    assert counts.pixels.tolist() == [40, 80, 120, 200, 400, 800]
    assert counts.matrix[1, 0] == 40
    assert counts.parts[:, :2].tolist() == [[1, 1], [1, 1]]


def test_ignored_pixels_are_left_out_and_counted():
    clean, noisy = halves(20), halves(20)
    clean[0], noisy[:2, :5] = 255, 255
    counts = count_maps(clean, noisy)
    assert (counts.lost, counts.ignored) == (35, 5)
    assert counts.matrix.sum() == 800 - 40 - 5
    assert counts.flipped[-1] == 0


@given(MAPS, MAPS)
def test_bands_are_those_of_the_nearest_pixel_of_another_class(clean, noisy):
    counts = count_maps(clean, noisy)
    valid = (clean != 255) & (noisy != 255)
    distances = np.full(clean.shape, np.inf)
    for k in set(np.unique(clean)) - {255}:
        others = (clean != k) & (clean != 255)
        if others.any():
            distances[clean == k] = ndimage.distance_transform_edt(~others)[clean == k]
    for band, pixels, flipped in zip(BANDS, counts.pixels, counts.flipped, strict=False):
        near = valid & (distances <= band + 1e-9)
        assert (pixels, flipped) == (near.sum(), (near & (clean != noisy)).sum())


def written(folder, maps):
    folder.mkdir()
    for name, labels in maps.items():
        Image.fromarray(labels).save(folder / name)
    return folder


def test_the_report_has_recall_precision_and_iou(tmp_path):
    clean = written(tmp_path / "clean", {"a.png": halves(20), "b.png": halves(20)})
    noisy = written(tmp_path / "noisy", {"a.png": halves(30), "b.png": halves(20)})
    reports = [
        compare_maps(clean, noisy, ["a.png", "b.png"], {0: "sky"}, [255], workers=workers, progress=False)
        for workers in (1, 2)
    ]
    assert reports[0] == reports[1]
    sky, other = reports[0]["classes"]
    assert (sky["class"], other["class"]) == ("sky", "class 1")
    assert (sky["recall"], sky["precision"]) == (1, 0.8)
    assert (other["recall"], other["precision"]) == (0.75, 1)
    assert reports[0]["mean_iou"] == pytest.approx((0.8 + 0.75) / 2)
    assert reports[0]["flipped"]["all"] == 0.125
    assert reports[0]["counts"]["maps"] == 2
    assert reports[0]["warnings"] == []


def test_other_numbers_can_be_ignored(tmp_path):
    clean, noisy = written(tmp_path / "c", {"a.png": halves(20)}), written(tmp_path / "n", {"a.png": halves(30)})
    report = compare_maps(clean, noisy, ["a.png"], {}, [1, 255], workers=1, progress=False)
    assert report["counts"]["ignored_touched"] == 200
    assert [warning["code"] for warning in report["warnings"]] == ["ignore_touched"]


def test_another_size_is_an_error(tmp_path):
    clean, noisy = written(tmp_path / "c", {"a.png": halves(20)}), written(tmp_path / "n", {"a.png": halves(20)[:5]})
    with pytest.raises(LabelError, match=r"n/a\.png: expected a map of \(20, 40\)"):
        compare_maps(clean, noisy, ["a.png"], {}, [255], workers=1, progress=False)


def test_large_numbers_are_an_error(tmp_path):
    labels = np.full((4, 4), 300, np.uint16)
    clean, noisy = written(tmp_path / "c", {"a.png": labels}), written(tmp_path / "n", {"a.png": labels})
    with pytest.raises(LabelError, match="expected numbers of classes below 256, got 300"):
        compare_maps(clean, noisy, ["a.png"], {}, [255], workers=1, progress=False)
