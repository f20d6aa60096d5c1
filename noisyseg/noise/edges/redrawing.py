"""Draw the edges of an image anew after its regions have changed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from noisyseg.labels import EdgeMap
from noisyseg.labels.edges import edge_radius, label_edges
from noisyseg.noise.kernels.edges import IntArray, Regions, channels_from, enclosed_regions

# How far the border of two regions may lie beside the edge that it is, in pixels; in BSDS500 99.9 % lie closer.
OFF_BORDER = 2


def redrawn(
    labels: EdgeMap, clean_regions: Regions, regions: Regions, source: tuple[IntArray, IntArray] | None = None
) -> EdgeMap:
    """Returns the borders of new regions as edges, as wide as the edges were.

    A border pixel is on the edges of the classes of the clean border nearest to its source, and on none where that
    border was no edge, as that of ignored pixels.

    Args:
        labels: The clean edges; their ``regions`` are replaced where they are known.
        clean_regions: (H, W) regions whose borders the clean edges are.
        regions: (H, W) new regions.
        source: Row and column where the label of each pixel came from; None where it stayed in place.
    """
    clean = labels.edges.astype(bool)
    radius = edge_radius(clean.any(axis=0))
    if source is None:
        source = np.mgrid[: clean.shape[1], : clean.shape[2]]
    border = label_edges(clean_regions, 1)
    edges = channels_from(label_edges(regions, radius), clean, border, *source, reach=OFF_BORDER)
    known = None if labels.regions is None else regions.astype(labels.regions.dtype)
    return labels.replace(edges=edges.astype(labels.edges.dtype), regions=known)


def regions_of(labels: EdgeMap) -> tuple[Regions, npt.NDArray[np.bool_]]:
    """Returns the regions, found from the edges where they are not known, and the edges that part no two of them.

    Returns:
        (H, W) regions, and (K, H, W) bool edges: loose ends, which enclose nothing. None of them where the regions
        are known.
    """
    clean = labels.edges.astype(bool)
    if labels.regions is not None:
        return labels.regions, np.zeros_like(clean)
    union = clean.any(axis=0)
    regions = enclosed_regions(union)
    near_border = label_edges(regions, edge_radius(union) + 1)
    return regions, clean & ~near_border
