import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from noisyseg.transitions import shift_target
from noisyseg.transitions.shift_target import nearest_offset

PAIRS = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda size: st.tuples(*(arrays.arrays(bool, size, elements=st.sampled_from([False] * 4 + [True])),) * 2)
)


def batched(*masks):
    return [torch.from_numpy(np.asarray(mask, bool))[None, None] for mask in masks]


def distances(mask):
    """Returns the L1 distance of each pixel to each pixel of the mask, (H, W, N)."""
    places = np.argwhere(mask)
    grid = np.stack(np.meshgrid(*map(np.arange, mask.shape), indexing="ij"), -1)
    return np.abs(grid[:, :, None] - places).sum(-1)


def check_pair(source, target, limit):
    """Asserts all that the definition says, with distances to every pixel."""
    shift, defined = (tensor[0].numpy() for tensor in shift_target(*batched(source, target), limit))
    assert (shift[:, ~defined[0]] == 0).all()
    if not (source.any() and target.any()):
        assert not defined.any()
        return
    to_target, to_source = distances(target), distances(source)
    marked = np.zeros_like(target)
    for row, column in np.argwhere(defined[0]):
        end = np.add((row, column), shift[:, row, column].astype(int))
        assert target[row, column]
        assert source[tuple(end)]
        assert np.abs(shift[:, row, column]).sum() == to_source[row, column].min()
        assert np.hypot(*shift[:, row, column]) <= limit
        marked[row, column] = True
    for row, column in np.argwhere(source):
        nearest = np.argwhere(target)[to_target[row, column] == to_target[row, column].min()]
        # Ties among nearest predictions may be of different Euclidean length, so one of them may be too long.
        assert any(marked[tuple(at)] or to_source[tuple(at)].min() > limit for at in nearest)


@settings(max_examples=150)
@given(pair=PAIRS)
def test_every_shift_leads_from_a_nearest_label_to_a_nearest_prediction(pair):
    check_pair(*pair, limit=100)


@settings(max_examples=60)
@given(pair=PAIRS, limit=st.integers(1, 6))
def test_no_shift_is_longer_than_the_limit(pair, limit):
    source, target = pair
    shift, defined = shift_target(*batched(source, target), limit)
    assert (shift.norm(dim=1) <= limit).all()
    full, everywhere = shift_target(*batched(source, target), 1000)
    assert torch.equal(defined, everywhere & (full.norm(dim=1, keepdim=True) <= limit))
    assert torch.equal(shift, full * defined)


def test_the_released_code_agrees_where_labels_have_edges(golden_dir):
    golden = np.load(golden_dir / "pnt_edge.npz")
    source, target = (torch.from_numpy(golden[key] > 0)[:, None] for key in ("source", "target"))
    shift, defined = shift_target(source, target, 1000)
    compared = 0
    for image in range(20):
        if not target[image].any():
            assert not defined[image].any()  # where the released code takes the prediction for the label
            assert (golden["mask"][image] > 0).sum() == source[image].sum()
            continue
        check_pair(golden["source"][image] > 0, golden["target"][image] > 0, 1000)
        both = defined[image, 0].numpy() & (golden["mask"][image] > 0)
        theirs = np.abs(golden["dx"][image]) + np.abs(golden["dy"][image])
        np.testing.assert_array_equal(shift[image].abs().sum(0).numpy()[both], theirs[both])
        compared += both.sum()
    assert compared > 500


def test_images_of_a_batch_do_not_see_each_other():
    rng = np.random.default_rng(0)
    source, target = (torch.from_numpy(rng.random((3, 1, 30, 50)) < 0.03) for _ in range(2))
    target[1] = False
    shift, defined = shift_target(source, target)
    for image in range(3):
        alone = shift_target(source[image : image + 1], target[image : image + 1])
        assert torch.equal(shift[image], alone[0][0])
        assert torch.equal(defined[image], alone[1][0])
    assert defined.flatten(1).any(1).tolist() == [True, False, True]


def test_moves_with_the_maps():
    rng = np.random.default_rng(1)
    source, target = np.zeros((2, 60, 40), bool)
    source[20:40, 10:30], target[20:40, 10:30] = rng.random((2, 20, 20)) < 0.1
    here = shift_target(*batched(source, target))
    there = shift_target(*batched(np.roll(source, (9, -4), (0, 1)), np.roll(target, (9, -4), (0, 1))))
    assert here[1].any()
    for before, after in zip(here, there, strict=True):
        assert torch.equal(before.roll((9, -4), (2, 3)), after)


def test_transposed_maps_swap_the_components():
    rng = np.random.default_rng(2)
    source, target = rng.random((2, 30, 50)) < 0.02
    shift, defined = shift_target(*batched(source, target))
    turned, defined_turned = shift_target(*batched(source.T, target.T))
    lengths, lengths_turned = (field.abs().sum(1)[0] for field in (shift, turned))
    both = defined[0, 0] & defined_turned[0, 0].T
    assert torch.equal(lengths[both], lengths_turned.T[both])
    alone = both & (lengths == 1)
    assert alone.any()
    one = torch.zeros(1, 1, 9, 9, dtype=torch.bool)
    one[..., 2, 5] = True
    other = one.roll((3, 1), (2, 3))
    assert shift_target(one, other)[0][0, :, 5, 6].tolist() == [-3, -1]
    assert shift_target(one.mT, other.mT)[0][0, :, 6, 5].tolist() == [-1, -3]


def test_the_nearest_pixel_of_a_real_size():
    rng = np.random.default_rng(3)
    mask = torch.from_numpy(rng.random((1, 1, 321, 481)) < 0.002)
    offset, present = nearest_offset(mask)
    from scipy.ndimage import distance_transform_cdt

    np.testing.assert_array_equal(offset.abs().sum(1)[0], distance_transform_cdt(~mask[0, 0].numpy(), "taxicab"))
    assert present.all()
    assert not nearest_offset(torch.zeros_like(mask))[1].any()


@pytest.mark.parametrize(
    ("source", "target", "limit", "message"),
    [
        (torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4, dtype=torch.bool), 15, "source: expected"),
        (torch.zeros(1, 1, 4, 4, dtype=torch.bool), torch.zeros(1, 2, 4, 4, dtype=torch.bool), 15, "target: expected"),
        (*torch.zeros(2, 1, 1, 4, 4, dtype=torch.bool), 0, "limit: expected"),
        (torch.zeros(1, 1, 4, 4, dtype=torch.bool), torch.zeros(1, 1, 4, 5, dtype=torch.bool), 15, "of one shape"),
    ],
)
def test_wrong_input_says_what_was_expected(source, target, limit, message):
    with pytest.raises(ValueError, match=message):
        shift_target(source, target, limit)
