"""No model but a shift prefers a side: what it does to a symmetric object is symmetric on average."""

import numpy as np
import pytest

from noisyseg.labels import Categories, Instances, Mask
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import build_noise

DRAWS = 400
MODELS = {
    "affine": {"type": "noisyseg.Affine", "degrees": 20, "shift": 4, "scale": (0.8, 1.3), "shear": 10},
    "elastic": {"type": "noisyseg.Elastic", "alpha": 60, "sigma": 4},
    "euclidean_scale": {"type": "noisyseg.EuclideanScale", "levels": (2, 5)},
    "markov_boundary": {"type": "noisyseg.MarkovBoundary", "steps": 60, "theta1": 0.6, "theta2": 0.1, "blur_sigma": 2},
    "polygon_scale": {"type": "noisyseg.PolygonScale", "delta": 4, "std": 2},
    "redrawn_polygons": {"type": "noisyseg.RedrawnPolygons", "tolerance": (2, 1), "sigma": (2, 1), "size": (4, 2)},
    "resampled_localization": {"type": "noisyseg.ResampledLocalization", "sigma": 3},
    "rotate": {"type": "noisyseg.Rotate", "degrees": 30},
    "shift": {"type": "noisyseg.Shift", "sigma": 3},
}


def drifts(config):
    """Returns the moves of the centre of mass of an ellipse in many draws, dx and dy."""
    rows, columns = np.indices((101, 121))
    mask = Mask.from_frame(((columns - 60) / 30) ** 2 + ((rows - 50) / 20) ** 2 <= 1)
    labels = Instances.from_masks([mask] * DRAWS, [0] * DRAWS, Categories.from_names("a"), mask.size_hw)
    frames = [noisy.frame() for noisy in build_noise(config)(labels, keyed_rng(1)).masks]
    return np.array([np.argwhere(one)[:, ::-1].mean(axis=0) - (60, 50) for one in frames])


@pytest.mark.parametrize("name", MODELS)
def test_the_centre_stays_on_average(name):
    moves = drifts(MODELS[name])
    error = moves.std(axis=0) / np.sqrt(DRAWS)
    assert (np.abs(moves.mean(axis=0)) <= 4 * error + 1e-9).all()


def test_even_sides_of_the_official_polygons_drift_to_the_right_and_down():
    even = {"mode": "official", "tolerance": (0, 0), "sigma": (0, 0), "size": (4, 0)}
    np.testing.assert_allclose(drifts(MODELS["redrawn_polygons"] | even).mean(axis=0), 0.5, atol=0.05)
