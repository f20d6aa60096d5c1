import numpy as np
import pytest
from scipy import ndimage, stats

from noisyseg.labels import Categories, Instances, Mask
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import Recipe
from noisyseg.noise.masks import Scale
from noisyseg.noise.objects import Split


def pieces_of(noisy, source):
    return [mask.frame() for mask, of in zip(noisy.masks, noisy.source, strict=True) if of == source]


@pytest.mark.parametrize("by", ["line", "parts"])
@pytest.mark.parametrize("seed", range(5))
def test_pieces_cover_the_object_and_do_not_overlap(labels, by, seed):
    noisy = Split(1.0, by)(labels, keyed_rng(seed))
    for source, mask in zip(labels.source, labels.masks, strict=True):
        np.testing.assert_array_equal(sum(pieces_of(noisy, source)), mask.frame())
    assert all(mask.area > 0 for mask in noisy.masks)


def test_a_line_cuts_in_two(labels):
    noisy = Split(1.0)(labels, keyed_rng(0))
    for source, mask, crowd in zip(labels.source, labels.masks, labels.crowd, strict=True):
        sizes = [int(piece.sum()) for piece in pieces_of(noisy, source)]
        assert len(sizes) == (1 if crowd or mask.area == 1 else 2)
        assert sizes == sorted(sizes, reverse=True)
        if len(sizes) == 2:
            assert sizes[1] >= round(mask.area / 4) - 1


def test_a_line_is_straight(labels):
    noisy, params = Split(1.0).run(labels, keyed_rng(1))
    one, other = pieces_of(noisy, 55)  # the object that fills the image
    angle = params["objects"]["55"]["angle"]
    rows, columns = np.indices(one.shape)
    along = np.round(columns * np.cos(angle) + rows * np.sin(angle), 6)
    low, high = sorted((along[one == 1], along[other == 1]), key=np.min)
    assert low.max() <= high.min()


def test_angles_and_shares_are_uniform():
    square = Mask.from_frame(np.ones((6, 6), np.uint8))
    many = Instances.from_masks([square] * 3000, [0] * 3000, Categories.from_names("a"), (6, 6))
    draws = Split(1.0).sample(many, keyed_rng(0))["objects"].values()
    assert stats.kstest([drawn["angle"] / np.pi for drawn in draws], "uniform").pvalue > 0.001
    assert stats.kstest([2 * (drawn["share"] - 0.25) for drawn in draws], "uniform").pvalue > 0.001
    hit = len(Split(0.3).sample(many, keyed_rng(0))["objects"])
    assert stats.binomtest(hit, 3000, 0.3).pvalue > 0.001


def test_each_connected_part_becomes_an_object(labels):
    noisy = Split(1.0, "parts")(labels, keyed_rng(0))
    for source, mask, crowd in zip(labels.source, labels.masks, labels.crowd, strict=True):
        pieces = pieces_of(noisy, source)
        numbers, count = ndimage.label(mask.frame(), np.ones((3, 3)))
        assert len(pieces) == (1 if crowd else count)
        if count > 1 and not crowd:
            expected = {(numbers == number).tobytes() for number in range(1, count + 1)}
            assert {piece.astype(bool).tobytes() for piece in pieces} == expected


def test_pieces_have_the_class_and_tight_boxes(labels):
    noisy = Recipe([Split(1.0)])(labels, keyed_rng(0))
    classes = dict(zip(labels.source.tolist(), labels.classes.tolist(), strict=True))
    assert noisy.classes.tolist() == [classes[source] for source in noisy.source.tolist()]
    for mask, box in zip(noisy.masks, noisy.boxes.tolist(), strict=True):
        assert box == list(mask.box)


def test_pieces_are_objects_for_what_comes_after(labels):
    _, params = Recipe([Split(1.0), Scale(3)]).run(labels, keyed_rng(0))
    assert {"11", "11.1"} <= set(params["steps"][1]["objects"])
    grown = [draws["grow"] for key, draws in params["steps"][1]["objects"].items() if "." in key]
    assert len(set(grown)) == 2
    assert len(params["steps"][1]["objects"]) == 15


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [((1.2,), r"^rate: expected a share in \[0, 1\], got 1\.2"), ((1.0, "hand"), "^by: expected 'line' or 'parts'")],
)
def test_arguments_that_cannot_be_used_are_errors(arguments, problem):
    with pytest.raises(ValueError, match=problem):
        Split(*arguments)
