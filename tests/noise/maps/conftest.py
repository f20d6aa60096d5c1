"""Maps of known regions."""

import numpy as np
import pytest
from scipy import stats

from noisyseg.labels import Categories, SemanticMap

NAMES = Categories.from_names(("ground", "a", "b", "c"))


@pytest.fixture(scope="session")
def semantic():
    """Returns a function that makes a map of four classes of rows of numbers."""
    return lambda rows, dtype=np.uint8: SemanticMap(np.array(rows, dtype), NAMES)


@pytest.fixture(scope="session")
def tiles():
    """Returns a map of 2,500 squares of 3 pixels, of classes 1, 2 and 3, on ground."""
    classes = np.zeros((200, 200), np.uint8)
    for row in range(50):
        for column in range(50):
            classes[4 * row : 4 * row + 3, 4 * column : 4 * column + 3] = 1 + (row + column) % 3
    return SemanticMap(classes, NAMES)


@pytest.fixture(scope="session")
def assert_share():
    """Returns a function that asserts that a count fits a rate: inside the binomial interval of 99.9 %."""

    def check(count, total, rate):
        low, high = stats.binom.interval(0.999, total, rate)
        assert low <= count <= high

    return check
