"""Outlines drawn anew as polygons: with too few points, an unsteady hand, and too large or too small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from noisyseg.labels import Instances, Mask
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.fields import field_key, field_rng
from noisyseg.noise.kernels import masks as kernels
from noisyseg.noise.kernels import polygons
from noisyseg.noise.masks.outlines import Mode, check_mode, filled, traced
from noisyseg.noise.model import Change, ObjectNoise, Params, mask_of
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class RedrawnPolygons(ObjectNoise):
    """Simplifies every polygon of an object, moves its remaining vertices, and dilates or erodes the whole.

    Every object gets all three, each with a strength of its own from a normal distribution cut at 0; the first two
    differ between the parts of an object. Vertices are few after the simplification, so moving them makes large lobes.
    Polygons are taken from the file as they are, and traced from the pixels of a mask that has none.

    Args:
        tolerance: Mean and standard deviation of the tolerance of Douglas-Peucker, pixels.
        sigma: Mean and standard deviation of the standard deviation of the moves, pixels.
        size: Mean and standard deviation of the side of the square that dilates or erodes, pixels.
        mode: ``"fixed"`` takes for every side an odd one, those of all objects being as large on average, and keeps
            triangles and holes; ``"official"`` takes whole sides, of which the even ones move a mask to the right and
            down, loses polygons of three points and holes, traces what was dilated or eroded again, and repairs
            polygons that cross themselves by cutting lobes off, as the authors' code does.

    Raises:
        ValueError: A mean or deviation is negative, or the mode is unknown.

    Reference: polygon pipeline ("v2") in the repository of COCO-N, arXiv 2406.10891, without its deletion and its class
    noise. Which rasteriser stands in its middle is not verified.
    """

    def __init__(
        self, tolerance: Sequence[float], sigma: Sequence[float], size: Sequence[float], mode: Mode = "fixed"
    ) -> None:
        for name, value in (("tolerance", tolerance), ("sigma", sigma), ("size", size)):
            if len(value) != 2 or not min(value) >= 0:
                raise ValueError(f"{name}: expected mean and standard deviation in pixels, both >= 0, got {value}")
        check_mode(mode)
        self.tolerance, self.sigma, self.size = tuple(tolerance), tuple(sigma), tuple(size)
        self.mode = mode

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params | None:
        """See the base class; a tolerance and a sigma a part, and ``key`` for the moves of the vertices."""
        mask = mask_of(labels, i, self.op)
        count = len(_file_rings(mask) or traced(mask, self.mode)[0])
        rng = streams.of(self.op, int(labels.source[i]))
        grow, side = bool(rng.random() < 0.5), max(self.size[0] + self.size[1] * rng.standard_normal(), 0.0)
        key = field_key(rng)
        normals = rng.standard_normal((count, 2))
        tolerances = (self.tolerance[0] + self.tolerance[1] * normals[:, 0]).clip(0).tolist()
        sigmas = (self.sigma[0] + self.sigma[1] * normals[:, 1]).clip(0).tolist()
        size = int(side) if self.mode == "official" else max(_odd(side), 1)
        if self.mode == "fixed" and size == 1 and not any(tolerances) and not any(sigmas):
            return None
        return {"tolerances": tolerances, "sigmas": sigmas, "size": size, "grow": grow, "key": key}

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class."""
        redrawn = _official if self.mode == "official" else _fixed
        return {i: Change(mask=redrawn(mask_of(labels, i, self.op), drawn)) for i, drawn in draws.items()}


def _odd(side: float) -> int:
    """Returns the odd number nearest to whole sides: 1 from 0.5 to 2.5, 3 to 4.5 …, as large on average as int()."""
    return 2 * int((side - 0.5) // 2) + 1


def _file_rings(mask: Mask) -> list[polygons.Ring] | None:
    """Returns the polygons that the mask was read as, or None if it was not read as polygons."""
    segmentation = mask.segmentation
    if isinstance(segmentation, Mapping):
        return None
    return [np.array(ring, np.float64).reshape(-1, 2) for ring in segmentation]


def _fixed(mask: Mask, draws: Params) -> Mask:
    rng, size = field_rng(draws["key"]), draws["size"]
    strengths = zip(draws["tolerances"], draws["sigmas"], strict=True)
    rings = _file_rings(mask)
    if rings is not None:
        moved = [
            _moved(polygons.simplified(ring, tolerance), sigma, rng)
            for ring, (tolerance, sigma) in zip(rings, strengths, strict=True)
        ]
        noisy = Mask.from_coco([ring.ravel().tolist() for ring in moved], mask.size_hw)
    else:
        parts, left, top = traced(mask, "fixed")
        moved = []
        for part, (tolerance, sigma) in zip(parts, strengths, strict=True):
            (part,) = kernels.simplify([part], tolerance)
            offsets = sigma * rng.standard_normal((len(part.outer) + sum(map(len, part.holes)), 2))
            moved.append(kernels.displace(part, np.rint(offsets).astype(np.int32)))
        noisy = filled(moved, left, top, mask.size_hw)
    if size == 1:
        return noisy
    left, top, pixels = noisy.window(size)
    return Mask.from_crop(left, top, kernels.scale(pixels, size, draws["grow"]), mask.size_hw)


def _official(mask: Mask, draws: Params) -> Mask:
    rng, size = field_rng(draws["key"]), draws["size"]
    rings = _file_rings(mask)
    if rings is None:
        parts, left, top = traced(mask, "official")
        rings = [part.outer + np.array((left, top), np.float64) for part in parts]
    moved = [
        _moved(polygons.simplified(ring, tolerance), sigma, rng)
        for ring, tolerance, sigma in zip(rings, draws["tolerances"], draws["sigmas"], strict=True)
        if len(ring) > 3
    ]
    if not moved:
        return Mask.empty(mask.size_hw)
    # In a window that reaches everything, so that the order of tracing and the border are those of the whole frame.
    height, width = mask.size_hw
    vertices = np.concatenate(moved).astype(np.int32)
    margin = size + 1
    x0, y0 = (vertices.min(axis=0) - margin).clip(0, (width - 1, height - 1)).tolist()
    x1, y1 = (vertices.max(axis=0) + margin + 1).clip((x0 + 1, y0 + 1), (width, height)).tolist()
    window_hw, offset = (y1 - y0, x1 - x0), (-x0, -y0)
    if size:
        pixels = kernels.scale(polygons.fill_rings(moved, window_hw, offset), size, draws["grow"])
        traces, _ = cv2.findContours(pixels, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        moved, offset = [trace[:, 0].astype(np.float64) for trace in traces if len(trace) >= 3], (0, 0)
    return Mask.from_crop(x0, y0, polygons.fill_rings(polygons.merged(moved), window_hw, offset), mask.size_hw)


def _moved(ring: polygons.Ring, sigma: float, rng: np.random.Generator) -> polygons.Ring:
    return ring + sigma * rng.standard_normal(ring.shape)
