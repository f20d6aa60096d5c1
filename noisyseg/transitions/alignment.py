"""Edge labels moved to nearby pixels where the network sees the edge, each to a place of its own.

Letters: B batch, K classes, H rows, W columns, E labelled (image, class, pixel) triples, D candidate steps.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "align_edges",
    "alignment_costs",
    "alignment_target",
    "assign_one_to_one",
    "candidate_steps",
    "edge_tangents",
]

TANGENT_RADIUS = 3
"""Half the side of the window from which the direction of an edge is found, pixels."""
NEIGHBOURS_RADIUS = 2
"""Half the side of the window of the labels that are to move alike, pixels."""
CLAMP = 1e-4
"""Probabilities count as at least this far from 0 and 1."""
FORBIDDEN = 1e6
"""Cost of a place outside the frame, or on an ignored pixel."""
STEP = 0.05
"""How much more than it is worth a label at least bids for a place; the assignment's cost is optimal but for this."""


def align_edges(
    probability: Tensor,
    targets: Tensor,
    valid: Tensor,
    *,
    radius: float = 6.0,
    along: float = 1.0,
    across: float = 4.0,
    smoothness: float = 0.02,
    passes: int = 2,
    rounds: int = 400,
) -> Tensor:
    """Returns the labels moved to where the probability is high, one to one.

    Each labelled pixel of a class goes to a pixel p of its own within ``radius``, so that the sum of
    ``t²/(2 along²) + n²/(2 across²) + λ |d - d̄|² - log(P(p)/(1 - P(p)))`` becomes small: t and n are the parts of the
    step d along the label's edge and across it, d̄ is the mean step of the labels around in the pass before, λ is
    ``smoothness`` and 0 in the first pass. Labels that find no place in ``rounds`` stay where they are.

    Not differentiable. It waits for the device about six times a round, because the labels without a place get fewer,
    and stops when there is none. Beside 3 KB a label at radius 6 it holds about seven floats a pixel, class and image.

    Args:
        probability: (B, K, H, W) float, of an edge.
        targets: (B, K, H, W) bool, the given labels.
        valid: (B, 1, H, W) bool; labels stay out of pixels that are not.
        radius: Pixels, >= 0.
        along: Standard deviation of a step along the edge, pixels, > 0.
        across: Standard deviation of a step across it, pixels, > 0.
        smoothness: λ, >= 0.
        passes: How often the labels are assigned, >= 1.
        rounds: See :func:`assign_one_to_one`.

    Returns:
        (B, K, H, W) bool; as many labels as given, but for those without a place that another one has taken.

    Raises:
        ValueError: Shapes or types differ from the above, or a number is out of range.

    Source:
        In the manner of Yu et al., Simultaneous Edge Alignment and Learning, ECCV 2018, of which the standard
        deviations and λ are; the rest of the formula and the solver are ours.
    """
    settings = dict(radius=radius, along=along, across=across, smoothness=smoothness, passes=passes, rounds=rounds)
    labels, steps, _ = _assigned(probability, targets, valid, **settings)
    image, class_, row, column = (labels + F.pad(steps.long(), (2, 0))).unbind(1)
    aligned = torch.zeros_like(targets)
    aligned[image, class_, row, column] = True
    return aligned


def alignment_target(
    probability: Tensor, targets: Tensor, valid: Tensor, *, rounds: int = 50, **settings: float
) -> tuple[Tensor, Tensor]:
    """Returns how far :func:`align_edges` moves each label, and where there are labels that it moves.

    Where :func:`~noisyseg.transitions.shift_target` finds the nearest pixel of a band in which the network is
    confident, 0 for a label in the band, this finds the crest of the band, for all labels together.

    Args:
        probability: (B, K, H, W) float, of an edge.
        targets: (B, K, H, W) bool, the given labels.
        valid: (B, 1, H, W) bool; labels stay out of pixels that are not.
        rounds: Of each assignment, see :func:`assign_one_to_one`; few labels are left without a place after 50.
        **settings: Others of :func:`align_edges`.

    Returns:
        (B, 2, H, W) float32 pixels, rows and columns: the mean way of the labels of the pixel's classes, and
        (B, 1, H, W) bool: where that is defined. Labels without a place are left out.

    Raises:
        ValueError: As :func:`align_edges`.
    """
    labels, steps, placed = _assigned(probability, targets, valid, rounds=rounds, **settings)
    batch, _, height, width = targets.shape
    image, _, row, column = labels[placed].unbind(1)
    total = steps.new_zeros(batch * height * width, 3)
    total.index_add_(0, (image * height + row) * width + column, F.pad(steps[placed], (0, 1), value=1.0))
    rows, columns, count = total.view(batch, 1, height, width, 3).unbind(-1)
    return torch.cat([rows, columns], dim=1) / count.clamp(min=1), count > 0


def _assigned(
    probability: Tensor,
    targets: Tensor,
    valid: Tensor,
    *,
    radius: float = 6.0,
    along: float = 1.0,
    across: float = 4.0,
    smoothness: float = 0.02,
    passes: int = 2,
    rounds: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the labels (E, 4), their steps (E, 2) in pixels, and (E,) bool, whether they have a place."""
    _check(probability, targets, valid, radius, along, across, smoothness, passes)
    with torch.autocast(probability.device.type, enabled=False):
        probability, targets = probability.detach().float(), targets & valid
        labels = targets.nonzero()
        steps = candidate_steps(radius, targets.device)
        places, allowed = _places(labels, steps, valid.expand_as(targets))
        of_place = probability.flatten().clamp(CLAMP, 1 - CLAMP).logit()[places]
        costs = alignment_costs(edge_tangents(targets, labels), steps, along, across) - of_place
        costs = torch.where(allowed, costs, FORBIDDEN)
        whole = costs
        for number in range(passes):
            chosen = assign_one_to_one(whole, places, targets.numel(), rounds)
            placed, chosen = chosen >= 0, chosen.clamp(min=0)  # candidate 0 is the place where a label is
            placed &= allowed.gather(1, chosen[:, None])[:, 0]
            chosen = chosen * placed
            if number + 1 < passes:
                moved = _mean_steps(targets, labels, steps[chosen])
                whole = costs + smoothness * (moved[:, None] - steps).square().sum(-1)
    return labels, steps[chosen], placed


def candidate_steps(radius: float, device: torch.device | str) -> Tensor:
    """Returns (D, 2) float32, the steps (rows, columns) no longer than ``radius``, the shortest first, so (0, 0)."""
    reach = math.floor(radius)
    steps = torch.cartesian_prod(*(torch.arange(-reach, reach + 1, device=device),) * 2)
    lengths = steps.square().sum(1)
    order = lengths.sort(stable=True)
    return steps[order.indices][order.values <= radius**2].float()


def edge_tangents(targets: Tensor, labels: Tensor) -> Tensor:
    """Returns (E, 2) unit vectors (rows, columns) along the edges, at labelled pixels.

    It is the direction in which the labels of the class spread most in the window of 7 by 7 around the pixel; any
    direction where they spread equally.

    Args:
        targets: (B, K, H, W) bool.
        labels: (E, 4) int64, the places of the labels.
    """
    size = 2 * TANGENT_RADIUS + 1
    across = torch.arange(size, dtype=torch.float32, device=targets.device) - TANGENT_RADIUS
    rows, columns = across[:, None].expand(size, size), across[None].expand(size, size)
    kernels = torch.stack([torch.ones_like(rows), rows, columns, rows**2, columns**2, rows * columns])
    moments = F.conv2d(targets.flatten(0, 1)[:, None].float(), kernels[:, None], padding=TANGENT_RADIUS)
    image, class_, row, column = labels.unbind(1)
    count, r, c, rr, cc, rc = moments[image * targets.shape[1] + class_, :, row, column].unbind(1)
    r, c = r / count, c / count
    angle = 0.5 * torch.atan2(2 * (rc / count - r * c), rr / count - r**2 - (cc / count - c**2))
    return torch.stack([angle.cos(), angle.sin()], dim=1)


def alignment_costs(tangents: Tensor, steps: Tensor, along: float, across: float) -> Tensor:
    """Returns (E, D): minus the log of the Gaussian of each step, without its constant.

    Args:
        tangents: (E, 2) unit vectors along the edges.
        steps: (D, 2).
        along: Standard deviation along the edge, pixels.
        across: Across it, pixels.
    """
    t = tangents @ steps.T
    n = tangents.flip(1) * tangents.new_tensor([-1.0, 1.0]) @ steps.T
    return t.square() / (2 * along**2) + n.square() / (2 * across**2)


def assign_one_to_one(costs: Tensor, places: Tensor, count: int, rounds: int) -> Tensor:
    """Returns (E,) int64: which candidate each label takes, so that no two have one place and the costs are small.

    An auction: in each round every label without a place bids for the one that is worth most to it, by as much as it
    is worth more than the second; the highest bid gets the place, and who had it goes without. After enough rounds the
    sum of the costs is the smallest one but for :data:`STEP` a label. A label without a place in the end gets -1.

    Args:
        costs: (E, D) float.
        places: (E, D) int64, flat places 0..count-1.
        count: Number of places.
        rounds: Largest number of rounds.

    Source:
        Bertsekas, The auction algorithm, 1988, with all bids of a round at once.
    """
    device = costs.device
    if costs.shape[1] < 2:
        return torch.zeros(len(costs), dtype=torch.long, device=device)
    prices = torch.zeros(count, device=device)
    owners = torch.full((count,), -1, device=device)
    taken = torch.full((len(costs),), -1, device=device)
    numbers = torch.arange(len(costs), device=device)
    for _ in range(rounds):
        free = (taken < 0).nonzero()[:, 0]
        if not len(free):
            break
        values = -costs[free] - prices[places[free]]
        best = values.topk(2)
        wanted = places[free, best.indices[:, 0]]
        bids = prices[wanted] + best.values[:, 0] - best.values[:, 1] + STEP
        highest = torch.full((count,), -torch.inf, device=device).scatter_reduce(0, wanted, bids, "amax")
        # Of equal bids the first label's.
        bidders = torch.where(bids == highest[wanted], numbers[free], len(costs))
        first = torch.full((count,), len(costs), device=device).scatter_reduce(0, wanted, bidders, "amin")
        won = first[wanted] == numbers[free]
        wanted, winners = wanted[won], free[won]
        losers = owners[wanted]
        taken[losers[losers >= 0]] = -1
        taken[winners] = best.indices[won, 0]
        owners[wanted], prices[wanted] = winners, bids[won]
    return taken


def _places(labels: Tensor, steps: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Returns (E, D) flat places of the candidates, and whether a label may go there; own ones where it may not."""
    height, width = valid.shape[-2:]
    moves = steps.long()
    rows, columns = labels[:, 2:3] + moves[:, 0], labels[:, 3:4] + moves[:, 1]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    channels = labels[:, :1] * valid.shape[1] + labels[:, 1:2]
    own = (channels * height + labels[:, 2:3]) * width + labels[:, 3:4]
    places = torch.where(inside, (channels * height + rows) * width + columns, own)
    return places, inside & valid.flatten()[places]


def _mean_steps(targets: Tensor, labels: Tensor, steps: Tensor) -> Tensor:
    """Returns (E, 2): the mean of the labels' steps in the window of 5 by 5 around each, of its class."""
    image, class_, row, column = labels.unbind(1)
    channels = image * targets.shape[1] + class_
    field = steps.new_zeros(targets.shape[0] * targets.shape[1], 3, *targets.shape[2:])
    field[channels, :, row, column] = F.pad(steps, (0, 1), value=1.0)
    mean = F.avg_pool2d(field, 2 * NEIGHBOURS_RADIUS + 1, 1, NEIGHBOURS_RADIUS)[channels, :, row, column]
    return mean[:, :2] / mean[:, 2:]


def _check(
    probability: Tensor,
    targets: Tensor,
    valid: Tensor,
    radius: float,
    along: float,
    across: float,
    smoothness: float,
    passes: int,
) -> None:
    if probability.dim() != 4 or not probability.dtype.is_floating_point:
        raise ValueError(f"probability: expected (B, K, H, W) float, got {tuple(probability.shape)}")
    expected = {"targets": tuple(probability.shape), "valid": (len(probability), 1, *probability.shape[2:])}
    for name, tensor in (("targets", targets), ("valid", valid)):
        if tuple(tensor.shape) != expected[name] or tensor.dtype != torch.bool:
            raise ValueError(f"{name}: expected {expected[name]} bool, got {tuple(tensor.shape)} of {tensor.dtype}")
    for name, value in (("radius", radius), ("smoothness", smoothness)):
        if not 0 <= value < math.inf:
            raise ValueError(f"{name}: expected a finite number >= 0, got {value!r}")
    for name, value in (("along", along), ("across", across)):
        if not 0 < value < math.inf:
            raise ValueError(f"{name}: expected a finite number > 0, got {value!r}")
    if passes < 1:
        raise ValueError(f"passes: expected at least 1, got {passes!r}")
