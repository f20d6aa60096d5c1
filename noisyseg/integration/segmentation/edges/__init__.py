"""Edge detection in mmseg: labels, detectors, learned shifts and scores of edges."""

from noisyseg.integration.segmentation.edges.casenet_backbone import CASENetResNet
from noisyseg.integration.segmentation.edges.edge_detector import EdgeDetector
from noisyseg.integration.segmentation.edges.edge_heads import CASENetHead, SideEdgeHead
from noisyseg.integration.segmentation.edges.edge_metric import EdgeMetric
from noisyseg.integration.segmentation.edges.edges_from_labels import EdgesFromLabels
from noisyseg.integration.segmentation.edges.gt_edges import edge_targets

__all__ = [
    "CASENetHead",
    "CASENetResNet",
    "EdgeDetector",
    "EdgeMetric",
    "EdgesFromLabels",
    "SideEdgeHead",
    "edge_targets",
]
