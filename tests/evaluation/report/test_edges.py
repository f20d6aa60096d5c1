import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays
from PIL import Image
from scipy import ndimage

from noisyseg.evaluation.report.edges import BIN, compare_edges, count_edges, read_edges
from noisyseg.labels import LabelError

EDGES = arrays.arrays(bool, (1, 9, 14))


def line(column, size=(60, 80)):
    edges = np.zeros((1, *size), bool)
    edges[0, :, column] = True
    return edges


@pytest.mark.parametrize("shift", [0, 3, 15, 16])
def test_a_shifted_line_is_displaced_as_far(shift):
    counts = count_edges(line(20), line(20 + shift))
    assert counts.squares.tolist() == [60 * shift**2] * 2
    assert counts.far.tolist() == [60 * (shift > 15)] * 2
    assert np.flatnonzero(counts.histogram[0]).tolist() == [min(int(shift / BIN), 30)]


@given(EDGES, EDGES)
def test_distances_are_those_of_scipy(clean, noisy):
    counts = count_edges(clean, noisy)
    for k, (here, there) in enumerate(((noisy, clean), (clean, noisy))):
        assert counts.pixels[k] == here.sum()
        if not there.any():
            assert counts.alone[k] == here.sum()
            continue
        distances = ndimage.distance_transform_edt(~there[0])[here[0]]
        assert counts.squares[k] == pytest.approx((distances**2).sum())
        assert counts.histogram[k].sum() == here.sum()


def test_a_channel_is_compared_with_the_same_channel():
    two = np.concatenate([line(20), line(40)])
    counts = count_edges(two, two[::-1])
    assert counts.squares.tolist() == [2 * 60 * 400] * 2
    nothing = np.concatenate([line(20), np.zeros_like(line(0))])
    assert count_edges(two, nothing).alone.tolist() == [0, 60]


def test_the_report_of_png_files(tmp_path):
    for folder, column in (("clean", 20), ("noisy", 21)):
        (tmp_path / folder).mkdir()
        Image.fromarray(line(column)[0].astype(np.uint8) * 255).save(tmp_path / folder / "a.png")
    report = compare_edges(tmp_path / "clean", tmp_path / "noisy", ["a.png"], workers=1, progress=False)
    assert report["displacement"]["noisy_to_clean"]["rms"] == 1
    assert report["tolerances"]["0.0075 of the diagonal"] == {"precision": 0, "recall": 0, "f": 0}
    assert report["tolerances"]["0.02 of the diagonal"] == {"precision": 1, "recall": 1, "f": 1}
    assert report["counts"]["pixel_ratio"] == 1


def test_human_annotators_and_their_files(shared_dir):
    folder = shared_dir / "data" / "bsds500" / "BSDS500" / "data" / "groundTruth" / "val"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent")
    names = sorted(path.name for path in folder.glob("*.mat"))[:1]
    maps = read_edges(folder / names[0])
    assert len(maps) >= 4
    reports = [compare_edges(folder, folder, names, workers=workers, progress=False) for workers in (1, 2)]
    assert reports[0] == reports[1]
    assert reports[0]["displacement"]["clean_to_noisy"]["rms"] == 0
    assert reports[0]["tolerances"]["0.0075 of the diagonal"]["f"] == 1
    # Two people do not draw the same lines.
    different = count_edges(maps[0], maps[1])
    assert different.within[0, 0] < different.within[0, 1] < different.pixels[0]


def test_other_sizes_and_broken_files_are_errors(tmp_path):
    for folder, size in (("clean", (8, 8)), ("noisy", (8, 9))):
        (tmp_path / folder).mkdir()
        Image.fromarray(np.zeros(size, np.uint8)).save(tmp_path / folder / "a.png")
        (tmp_path / folder / "b.mat").write_bytes(b"nothing")
    with pytest.raises(LabelError, match=r"noisy/a\.png: expected edge maps of"):
        compare_edges(tmp_path / "clean", tmp_path / "noisy", ["a.png"], workers=1, progress=False)
    with pytest.raises(LabelError, match=r"clean/b\.mat"):
        compare_edges(tmp_path / "clean", tmp_path / "noisy", ["b.mat"], workers=1, progress=False)
    with pytest.raises(LabelError, match=r"c\.mat: cannot be read"):
        read_edges(tmp_path / "c.mat")


def test_no_edges_at_all():
    nothing = np.zeros((1, 5, 5), bool)
    counts = count_edges(nothing, nothing)
    assert counts.pixels.tolist() == counts.alone.tolist() == [0, 0]
    assert count_edges(line(1), np.zeros_like(line(1))).alone.tolist() == [0, 60]
