"""Many boxes without masks."""

import numpy as np
import pytest

from noisyseg.labels import Categories, Instances

OBJECTS = 20_000


def _boxes(boxes, size_hw):
    boxes = np.asarray(boxes, float).reshape(-1, 4)
    n = len(boxes)
    return Instances(
        size_hw=size_hw,
        categories=Categories.from_names("abc"),
        boxes=boxes,
        classes=np.arange(n) % 3,
        masks=None,
        source=np.arange(1, n + 1),
        crowd=np.zeros(n, bool),
    )


@pytest.fixture(scope="session")
def boxes():
    """Returns a function from boxes and the size of the image to labels."""
    return _boxes


@pytest.fixture(scope="session")
def far_from_the_border():
    """Returns 20,000 times the same box of 3000 x 2000 pixels in the middle of a huge image: nothing is cut."""
    return _boxes(np.tile([50_000, 60_000, 53_000, 62_000], (OBJECTS, 1)), (120_000, 100_000))


@pytest.fixture
def everywhere():
    """Returns 3,000 boxes in an image of 480 x 640: large and small, many of them at the border or across it."""
    rng = np.random.default_rng(5)
    sides = np.exp(rng.uniform(np.log(1.2), np.log(500), (3000, 2)))
    centres = rng.uniform(0, 1, (3000, 2)) * (640, 480)
    boxes = np.concatenate([centres - sides / 2, centres + sides / 2], axis=1)
    inside = np.clip(boxes, 0, (640, 480, 640, 480))
    boxes[:1500] = inside[:1500]  # the other half reaches beyond the image where it does
    wide = (inside[:, 2:] - inside[:, :2]).min(axis=1) >= 1
    return _boxes(boxes[wide], (480, 640))
