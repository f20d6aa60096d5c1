import math

import numpy as np
import pytest
from scipy import ndimage

from noisyseg.labels import Categories, SemanticMap
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.fields import uniform_field
from noisyseg.noise.kernels.warps import blur_reach, elastic_displacement
from noisyseg.noise.maps import ElasticMap


def displacement(params, size_hw):
    reach = blur_reach(params["sigma"])
    noise = uniform_field(params["key"], -reach, -reach, (size_hw[0] + 2 * reach, size_hw[1] + 2 * reach), layers=2)
    return elastic_displacement(noise, params["alpha"], params["sigma"])


@pytest.mark.parametrize(("alpha", "sigma"), [(30, 3), (100, 3), (50, 5), (100, 10)])
def test_pixels_move_by_the_published_root_mean_square(alpha, sigma):
    size = 160
    numbers = 1000 + np.arange(size * size, dtype=np.int64).reshape(size, size)
    labels = SemanticMap(numbers, Categories.from_names(map(str, range(1000 + size * size))))
    squares = []
    for seed in range(4):
        moved = ElasticMap(alpha, sigma, rate=1.0)(labels, keyed_rng(seed)).classes - 1000
        rows, columns = np.indices((size, size))
        inner = np.s_[40:-40, 40:-40]
        squares.append(((moved // size - rows) ** 2 + (moved % size - columns) ** 2)[inner].mean())
    # Rounding to whole pixels adds 1/12 an axis.
    published = alpha * math.sqrt(2 / 3) / (2 * math.sqrt(math.pi) * sigma)
    assert math.sqrt(np.mean(squares) - 1 / 6) == pytest.approx(published, rel=0.12)


def test_it_is_the_remapping_of_scipy(label_map):
    clean = np.where(label_map.classes == 255, 0, label_map.classes)
    labels = label_map.replace(classes=clean)
    noisy, params = ElasticMap(100, 5, rate=1.0).run(labels, keyed_rng(0))
    dx, dy = displacement(params, labels.size_hw)
    rows, columns = np.indices(labels.size_hw)
    expected = ndimage.map_coordinates(clean, [rows + dy, columns + dx], order=0, mode="nearest")
    # A place half way between two pixels may be rounded either way.
    assert (noisy.classes != expected).mean() < 0.001
    assert (noisy.classes != clean).mean() > 0.05


def test_far_from_boundaries_nothing_changes(label_map):
    clean = label_map.classes
    for seed in range(5):
        noisy, params = ElasticMap(30, 5, rate=1.0).run(label_map, keyed_rng(seed))
        farthest = np.hypot(*displacement(params, label_map.size_hw)).max() + 1
        boundary = np.zeros(clean.shape, bool)
        boundary[1:] |= clean[1:] != clean[:-1]
        boundary[:, 1:] |= clean[:, 1:] != clean[:, :-1]
        far = ndimage.distance_transform_edt(~boundary) > farthest + 1
        assert far.any()
        np.testing.assert_array_equal(noisy.classes[far], clean[far])


def test_ignored_pixels_stay_and_hand_out_nothing(label_map):
    for seed in range(5):
        noisy = ElasticMap(100, 3, rate=1.0)(label_map, keyed_rng(seed)).classes
        np.testing.assert_array_equal(noisy == 255, label_map.classes == 255)


def test_strengths_are_drawn_alike_and_images_at_the_rate(semantic, assert_share):
    labels = semantic([[0, 1]])
    drawn = [ElasticMap().sample(labels, keyed_rng(seed)) for seed in range(2000)]
    hit = [params for params in drawn if params["deformed"]]
    assert_share(len(hit), 2000, 0.5)
    for alpha in (1, 15, 30, 50, 100):
        for sigma in (3, 5, 10):
            count = sum((params["alpha"], params["sigma"]) == (alpha, sigma) for params in hit)
            assert_share(count, len(hit), 1 / 15)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"alpha": -1}, "alpha: expected pixels >= 0, one or several, got -1"),
        ({"alpha": []}, r"alpha: expected pixels >= 0, one or several, got \[\]"),
        ({"sigma": [3, 0]}, r"sigma: expected pixels > 0, one or several, got \[3, 0\]"),
        ({"rate": 2}, r"rate: expected a share in \[0, 1\], got 2"),
    ],
)
def test_what_cannot_be_used_is_an_error(settings, problem):
    with pytest.raises(ValueError, match=problem):
        ElasticMap(**settings)
