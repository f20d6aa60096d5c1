"""Edge detection in mmseg: labels, detectors, learned shifts and scores of edges."""

from noisyseg.integration.segmentation.edges.aligned_edge_detector import AlignedEdgeDetector
from noisyseg.integration.segmentation.edges.casenet_backbone import CASENetResNet
from noisyseg.integration.segmentation.edges.edge_datasets import BSDS500Edges, CityscapesEdges, EdgeDataset, SBDEdges
from noisyseg.integration.segmentation.edges.edge_detector import EdgeDetector
from noisyseg.integration.segmentation.edges.edge_heads import CASENetHead, SideEdgeHead
from noisyseg.integration.segmentation.edges.edge_metric import EdgeMetric
from noisyseg.integration.segmentation.edges.edges_from_labels import EdgesFromLabels
from noisyseg.integration.segmentation.edges.gt_edges import edge_targets
from noisyseg.integration.segmentation.edges.image_edges import ComputeImageEdges
from noisyseg.integration.segmentation.edges.load_edge_labels import LoadEdgeLabels
from noisyseg.integration.segmentation.edges.load_instance_map import LoadInstanceMap
from noisyseg.integration.segmentation.edges.pnt_edge import PNTEdge
from noisyseg.integration.segmentation.edges.pnt_edge_stages import PNTEdgeStages

__all__ = [
    "AlignedEdgeDetector",
    "BSDS500Edges",
    "CASENetHead",
    "CASENetResNet",
    "CityscapesEdges",
    "ComputeImageEdges",
    "EdgeDataset",
    "EdgeDetector",
    "EdgeMetric",
    "EdgesFromLabels",
    "LoadEdgeLabels",
    "LoadInstanceMap",
    "PNTEdge",
    "PNTEdgeStages",
    "SBDEdges",
    "SideEdgeHead",
    "edge_targets",
]
