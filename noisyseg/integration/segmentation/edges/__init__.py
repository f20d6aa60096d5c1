"""Edge detection in mmseg: labels, detectors, learned shifts and scores of edges."""

from noisyseg.integration.segmentation.edges.edges_from_labels import EdgesFromLabels

__all__ = ["EdgesFromLabels"]
