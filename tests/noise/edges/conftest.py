"""Edges to make noisy."""

import cv2
import numpy as np
import pytest

from noisyseg.labels import Categories, EdgeMap, SemanticMap
from noisyseg.labels.edges import edge_map


@pytest.fixture(scope="session")
def blobs():
    """Returns a map of three classes with a few large blobs."""
    noise = np.random.default_rng(1).normal(size=(240, 320))
    smooth = cv2.GaussianBlur(noise, (0, 0), 25)
    classes = np.digitize(smooth / smooth.std(), [-0.5, 0.5]).astype(np.uint8)
    return SemanticMap(classes, Categories.from_names("abc"))


@pytest.fixture(scope="session")
def disc():
    """Returns a function that gives the edges of a disc, region 1 on ground 0, radius and width as asked."""

    def build(radius, width=0, size=160):
        frame = np.zeros((size, size), np.uint8)
        cv2.circle(frame, (size // 2, size // 2), radius, 1, cv2.FILLED)
        labels = edge_map(SemanticMap(frame, Categories.from_names("ab")), width)
        return EdgeMap(labels.edges[1:], Categories.from_names(["b"]), labels.regions)

    return build


@pytest.fixture(scope="session")
def bsds_labels(shared_dir):
    """Returns the first annotator's edges of five real images, with these."""
    from noisyseg.labels.mat_files import read_mat

    root = shared_dir / "data" / "bsds500" / "BSDS500" / "data"
    paths = sorted((root / "groundTruth" / "train").glob("*.mat"))[:5]
    if not paths:
        pytest.skip(f"{root} is absent")
    found = []
    for path in paths:
        image = cv2.imread(str(root / "images" / "train" / f"{path.stem}.jpg"))[..., ::-1]
        found.append(read_mat(path).maps[0].replace(image=np.ascontiguousarray(image)))
    return found
