import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from noisyseg.transitions import align_edges, alignment_target
from noisyseg.transitions.alignment import alignment_costs, assign_one_to_one, candidate_steps, edge_tangents


def line(column, size=(24, 30), width=1):
    """(1, 1, H, W) bool with a vertical line."""
    labels = torch.zeros(1, 1, *size, dtype=torch.bool)
    labels[..., column : column + width] = True
    return labels


def everywhere(labels):
    return torch.ones(len(labels), 1, *labels.shape[2:], dtype=torch.bool)


def random_case(seed, size=(9, 11), share=0.3):
    draw = torch.Generator().manual_seed(seed)
    return torch.rand(1, 1, *size, generator=draw), torch.rand(1, 1, *size, generator=draw) < share


@pytest.mark.parametrize(("shift", "width"), [(0, 1), (3, 1), (-4, 2)])
def test_a_line_goes_where_the_network_sees_it(shift, width):
    seen = line(15, width=width)
    labels = line(15 + shift, width=width)
    aligned = align_edges(torch.where(seen, 0.9, 0.05), labels, everywhere(labels))
    assert torch.equal(aligned, seen)


def test_a_prediction_that_says_nothing_moves_nothing():
    labels = random_case(0)[1]
    assert torch.equal(align_edges(torch.full(labels.shape, 0.5), labels, everywhere(labels)), labels)


def test_an_edge_farther_than_the_radius_is_left_alone():
    labels = line(5)
    assert torch.equal(align_edges(torch.where(line(12), 0.9, 0.05), labels, everywhere(labels), radius=6.0), labels)


def test_steps_along_an_edge_cost_more_than_across():
    # One seen pixel, two steps from the one label that it should attract: across the line, or along it beyond its end.
    labels = torch.zeros(1, 1, 21, 21, dtype=torch.bool)
    labels[..., 4:13, 10] = True
    for row, column, moves in ((8, 12, True), (14, 10, False)):
        probability = torch.full(labels.shape, 0.5)
        probability[..., row, column] = 0.8
        assert align_edges(probability, labels, everywhere(labels))[0, 0, row, column] == moves


@pytest.mark.parametrize("angle", [0, 30, 90, 135])
def test_tangents_are_those_of_the_line(angle):
    direction = np.array([np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))])
    rows, columns = (20 + direction[:, None] * np.arange(-18, 18.1, 0.25)).round().astype(int)
    labels = torch.zeros(1, 1, 41, 41, dtype=torch.bool)
    labels[0, 0, rows, columns] = True
    tangents = edge_tangents(labels, torch.tensor([[0, 0, 20, 20]]))
    assert abs(float(tangents[0] @ torch.from_numpy(direction).float())) > 0.98


def test_costs_are_minus_the_log_of_a_turned_gaussian():
    tangent = torch.tensor([[0.6, 0.8]])
    steps = candidate_steps(3, "cpu")
    covariance = np.outer([0.6, 0.8], [0.6, 0.8]) * 1.5**2 + np.outer([0.8, -0.6], [0.8, -0.6]) * 4.0**2
    expected = 0.5 * np.einsum("di,ij,dj->d", steps, np.linalg.inv(covariance), steps)
    np.testing.assert_allclose(alignment_costs(tangent, steps, 1.5, 4.0)[0], expected, rtol=1e-5)


def test_steps_are_the_disk_with_the_own_place_first():
    steps = candidate_steps(4.5, "cpu").numpy()
    assert steps[0].tolist() == [0, 0]
    assert (np.hypot(*steps.T) <= 4.5).all()
    assert (
        len(np.unique(steps, axis=0))
        == len(steps)
        == sum(y * y + x * x <= 4.5**2 for y in range(-5, 6) for x in range(-5, 6))
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_assignment_costs_hardly_more_than_the_best_one(seed):
    draw = torch.Generator().manual_seed(seed)
    own = torch.randperm(40, generator=draw)[:30]
    places = (own[:, None] + 3 * torch.arange(9)) % 40  # the own ones, which differ, first
    costs = 4 * torch.rand(30, 9, generator=draw)
    chosen = assign_one_to_one(costs, places, 40, rounds=2000)
    taken = places.gather(1, chosen[:, None])[:, 0]
    table = np.full((30, 40), 1e4)
    table[np.arange(30)[:, None], places] = costs
    best = table[linear_sum_assignment(table)].sum()
    assert len(taken.unique()) == 30
    assert best - 1e-4 <= float(costs.gather(1, chosen[:, None]).sum()) <= best + 30 * 0.05


def test_no_two_labels_share_a_place():
    probability, labels = random_case(3, (16, 16), share=0.2)
    assert align_edges(probability, labels, everywhere(labels), rounds=500).sum() == labels.sum()


def test_no_two_labels_of_a_band_share_a_place():
    rows, columns = torch.meshgrid(torch.arange(-40.0, 40), torch.arange(-40.0, 40), indexing="ij")
    distance = torch.hypot(rows, columns)[None, None]
    band = (distance - 28).abs() <= 2
    probability = 0.02 + 0.9 * torch.exp(-((distance - 24) ** 2) / 4.5)
    assert align_edges(probability, band, everywhere(band)).sum() == band.sum()


def test_classes_and_images_do_not_meet():
    cases = [random_case(seed) for seed in range(4)]
    probability, labels = (torch.cat(parts).view(2, 2, 9, 11) for parts in zip(*cases, strict=True))
    together = align_edges(probability, labels, everywhere(labels), rounds=500).view(4, 1, 9, 11)
    for number, (own, given) in enumerate(cases):
        assert torch.equal(together[number], align_edges(own, given, everywhere(given), rounds=500)[0])


def test_ignored_pixels_take_no_label_and_lose_theirs():
    probability, labels = random_case(1)
    valid = everywhere(labels)
    valid[..., 4:] = False
    aligned = align_edges(probability, labels, valid, rounds=500)
    assert not (aligned & ~valid).any()
    assert aligned.sum() == (labels & valid).sum()


def test_labels_around_keep_a_label_from_going_alone():
    seen, labels = line(13), line(10)
    probability = torch.where(seen, 0.9, 0.1)
    probability[..., 12, 9] = 0.97  # a lure on the other side, for the one label next to it
    alone, joined = (
        align_edges(probability, labels, everywhere(labels), smoothness=weight)[0, 0, 12, 9] for weight in (0.0, 0.5)
    )
    assert (bool(alone), bool(joined)) == (True, False)


def test_nothing_to_align():
    labels = torch.zeros(2, 3, 8, 9, dtype=torch.bool)
    assert not align_edges(torch.rand(2, 3, 8, 9), labels, everywhere(labels)).any()
    given = random_case(0)[1]
    assert torch.equal(align_edges(torch.rand(given.shape), given, everywhere(given), radius=0.5), given)
    assert not alignment_target(torch.rand(2, 3, 8, 9), labels, everywhere(labels))[1].any()
    target, defined = alignment_target(torch.rand(given.shape), given, everywhere(given), radius=0.5)
    assert torch.equal(defined, given)
    assert not target.any()


@pytest.mark.parametrize("seed", range(3))
def test_targets_lead_labels_to_where_they_are_aligned(seed):
    probability, labels = random_case(seed, (12, 15), share=0.2)
    target, defined = alignment_target(probability, labels, everywhere(labels), rounds=500)
    assert (target.shape, target.dtype, defined.shape) == ((1, 2, 12, 15), torch.float32, labels.shape)
    assert torch.equal(defined, labels)
    assert not target[(~defined).expand_as(target)].any()
    own = labels[0, 0].nonzero()
    places = own + target[0][:, own[:, 0], own[:, 1]].T.long()
    moved = torch.zeros_like(labels)
    moved[0, 0, places[:, 0], places[:, 1]] = True
    assert torch.equal(moved, align_edges(probability, labels, everywhere(labels), rounds=500))


def test_the_target_of_several_classes_is_the_mean_of_theirs():
    labels = torch.cat([line(10), line(10), line(3)], dim=1)
    seen = torch.cat([line(12), line(6), line(4)], dim=1)
    target, defined = alignment_target(torch.where(seen, 0.9, 0.05), labels, everywhere(labels))
    assert torch.equal(defined, labels.any(dim=1, keepdim=True))
    assert target[0, :, 12, 10].tolist() == [0, -1]
    assert target[0, :, 12, 3].tolist() == [0, 1]


def test_labels_without_a_place_have_no_target():
    labels = line(10, width=3)  # one round gives a place to few of them
    seen = torch.where(line(12), 0.9, 0.05)
    few, all_ = (alignment_target(seen, labels, everywhere(labels), rounds=rounds)[1].sum() for rounds in (1, 500))
    assert 0 < few < all_ == labels.sum()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"targets": torch.zeros(1, 1, 4, 4)}, "targets: expected .* bool, got .* of torch.float32"),
        ({"valid": torch.ones(1, 2, 4, 4, dtype=torch.bool)}, "valid: expected"),
        ({"probability": torch.zeros(4, 4)}, "probability: expected"),
        ({"radius": -1}, "radius: expected a finite number >= 0, got -1"),
        ({"across": 0}, "across: expected a finite number > 0, got 0"),
        ({"passes": 0}, "passes: expected at least 1, got 0"),
    ],
)
def test_unusable_input_is_refused(changes, message):
    labels = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    arguments = {"probability": torch.rand(1, 1, 4, 4), "targets": labels, "valid": everywhere(labels)} | changes
    with pytest.raises(ValueError, match=message):
        align_edges(**arguments)
