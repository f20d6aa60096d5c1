"""How well edges are found: matching within a distance, and the scores that are made of it."""

from noisyseg.evaluation.edges.annotators import annotator_counts, annotator_score
from noisyseg.evaluation.edges.counting import edge_counts
from noisyseg.evaluation.edges.detectors import canny_thresholds, gradient_edges
from noisyseg.evaluation.edges.folders import edge_table, evaluate_edge_folders
from noisyseg.evaluation.edges.matching import match_edges
from noisyseg.evaluation.edges.protocol import EdgeProtocol
from noisyseg.evaluation.edges.scoring import EdgePoint, EdgeScores, edge_scores, mean_scores
from noisyseg.evaluation.edges.suppression import suppressed
from noisyseg.evaluation.edges.thinning import thin_edges

__all__ = [
    "EdgePoint",
    "EdgeProtocol",
    "EdgeScores",
    "annotator_counts",
    "annotator_score",
    "canny_thresholds",
    "edge_counts",
    "edge_scores",
    "edge_table",
    "evaluate_edge_folders",
    "gradient_edges",
    "match_edges",
    "mean_scores",
    "suppressed",
    "thin_edges",
]
