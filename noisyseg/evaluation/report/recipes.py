"""What a recipe promises: how often each operation is to be applied, and what in it is known to go wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from noisyseg.evaluation.report.distributions import binomial_range, rounded

Json = dict[str, Any]
SCOPE = "noisyseg."
# Models that treat every object that comes to them, and those that draw with a probability of their own.
ALWAYS = {
    "Affine",
    "Approximation",
    "Elastic",
    "EuclideanScale",
    "Localization",
    "PolygonScale",
    "ResampledLocalization",
    "Rotate",
    "Scale",
    "Shift",
}
BOXES = {"CenterScaleJitter", "CoordinateJitter", "GaussianJitter", "ResampledBox"}
# Protocols of Missing whose rate is the share of all objects, and models behind which nobody knows how many there are.
MISSING = {"bernoulli", "global_exact", "per_class_exact", "size_biased"}
UNCOUNTED = {"Merge", "Split", "Una"}


class Step(NamedTuple):
    """One model of a recipe that has no other models inside.

    Attributes:
        op: Its name.
        settings: Its config.
        chance: Probability that an object comes to it: the shares of the models around it, multiplied.
        of_una: Whether it is one of the four parts of Una, which all refer to the objects that come to Una.
    """

    op: str
    settings: Mapping[str, Any]
    chance: float
    of_una: bool = False


def steps(config: Mapping[str, Any], chance: float = 1.0) -> Iterator[Step]:
    """Yields the innermost models of a recipe in their order."""
    for child, share in _children(config):
        yield from steps(child, chance * share)
    if "noises" not in config and "noise" not in config:
        yield Step(str(config.get("type")).removeprefix(SCOPE), config, chance)


def nominal_rate(step: Step, classes: int) -> float | None:
    """Returns the probability that a model leaves an entry in the history of an object; None where it is not known.

    Args:
        step: The model.
        classes: Number of classes K.
    """
    settings = step.settings
    rate: float | None = None
    if step.op in ALWAYS:
        rate = 1.0
    elif step.op in BOXES:
        rate = settings.get("prob", 1.0)
    elif step.op == "ClassConfusion":
        # Who draws the class that the object has leaves no entry.
        rate = settings["rate"] * (1 - 1 / classes if settings.get("include_self", True) else 1)
    elif step.op == "Missing" and settings.get("guard", "none") == "none":
        rate = settings.get("rate") if settings.get("protocol", "bernoulli") in MISSING else None
    elif step.op == "Bogus" and settings.get("total") is None:
        rate = settings["rate"]
        rate = rate / (1 - rate) if settings.get("share_of", "noisy") == "noisy" else rate
    return None if rate is None or not 0 <= step.chance * rate <= 1 else step.chance * rate


def rate_checks(recipe: Mapping[str, Any], counts: Mapping[str, int], objects: int, classes: int) -> list[Json]:
    """Returns requested and realised rate of each operation, with the 99 % binomial interval and whether it holds.

    Args:
        recipe: The recipe of the manifest.
        counts: How often each operation was applied.
        objects: Number of clean objects that the recipe treats.
        classes: Number of classes.
    """
    rates: dict[str, list[float | None]] = {}
    totals: dict[str, int | None] = {}
    here: int | None = objects
    for step in _una_apart(steps(recipe)):
        # Of an operation that occurs again, what comes to its first occurrence counts.
        totals.setdefault(step.op, here)
        rates.setdefault(step.op, []).append(nominal_rate(step, classes))
        if step.of_una:
            continue
        if here is not None:
            here += counts.get("Bogus", 0) * (step.op == "Bogus") - counts.get("Missing", 0) * (step.op == "Missing")
        here = None if step.op in UNCOUNTED else here
    rates.pop("Una", None)
    return [_check(op, totals[op], nominal, int(counts.get(op, 0))) for op, nominal in rates.items()]


def even_sizes(recipe: Mapping[str, Any]) -> list[int]:
    """Returns the even sizes of structuring elements; they move masks."""
    sizes = [step.settings.get("size") for step in steps(recipe)]
    return sorted({size for size in sizes if isinstance(size, int) and size % 2 == 0})


def excessive_probs(config: Mapping[str, Any]) -> list[list[float]]:
    """Returns the lists of shares that sum to more than 1."""
    probs = config.get("probs")
    found = [probs] if isinstance(probs, list) and sum(probs) > 1 + 1e-9 else []
    for child, _ in _children(config):
        found += excessive_probs(child)
    return found


def _una_apart(found: Iterable[Step]) -> Iterator[Step]:
    """Yields the steps with the four parts of Una before each of it; it counts exactly."""
    for step in found:
        if step.op != "Una":
            yield step
            continue
        rate, boxes = step.settings["rate"], step.settings["box_noise"]
        parts = [
            {"type": "Missing", "rate": rate},
            {"type": "ClassConfusion", "rate": rate},
            {**boxes, "prob": rate},
            {"type": "Bogus", "rate": rate},
        ]
        for part in parts:
            yield Step(str(part["type"]).removeprefix(SCOPE), part, step.chance, True)
        yield Step("Una", step.settings, step.chance)


def _children(config: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], float]]:
    """Returns the models inside one, each with the probability that an object comes to it."""
    inner = config.get("noise")
    if isinstance(inner, Mapping):
        return [(inner, config.get("rate", 1.0))]
    children = config.get("noises") or []
    probs = config.get("probs") or [1.0] * len(children)
    return [(child, share) for child, share in zip(children, probs, strict=False) if isinstance(child, Mapping)]


def _check(op: str, total: int | None, nominal: list[float | None], count: int) -> Json:
    known = total and None not in nominal
    low, high = binomial_range(total, nominal) if known else (None, None)
    return {
        "op": op,
        "objects": total,
        "requested_rate": rounded(sum(nominal)) if known else None,
        "realised_rate": rounded(count / total) if total else None,
        "realised": count,
        "interval": [low, high] if known else None,
        "passed": low <= count <= high if known else None,
    }
