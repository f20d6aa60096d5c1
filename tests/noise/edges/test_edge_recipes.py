import math
import runpy

import pytest

from noisyseg.labels import EdgeMap, SemanticMap
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import build_noise


@pytest.fixture(scope="module")
def recipes(repository):
    paths = sorted((repository / "configs" / "_base_" / "noise").glob("edge_*.py"))
    return [path for path in paths if not path.stem.endswith("_map")]  # those are for label maps


def test_every_recipe_is_noise_for_edges_with_the_strength_in_its_name(recipes):
    assert len(recipes) == 17
    for path in recipes:
        assert path.read_text().startswith("# ")
        config = runpy.run_path(str(path))["noise"]
        model = build_noise(config, takes=EdgeMap)
        strength = float(path.stem.rpartition("_")[2])
        name = next(name for name in ("rms", "delta", "offset", "rate") if name in config)
        assert abs(config[name]) * (100 if name == "rate" else 1) == pytest.approx(strength)
        assert config.items() - {("type", config["type"])} <= model.settings.items()


def test_recipes_change_real_edges_by_what_they_say(recipes, bsds_labels):
    for path in recipes:
        model = build_noise(runpy.run_path(str(path))["noise"])
        for labels in bsds_labels[:2]:
            ratio = model(labels, keyed_rng(0)).edges.sum() / labels.edges.sum()
            if "drop" in path.stem:
                assert ratio == pytest.approx(1 - model.rate, abs=0.001)
            elif "spurious" in path.stem:
                assert ratio == pytest.approx(1 + model.rate, abs=0.001)
            else:
                assert 0.7 <= ratio <= 1.25


@pytest.mark.parametrize("rms", [2, 4, 8])
def test_recipes_for_maps_have_the_strength_in_their_name(repository, rms):
    config = runpy.run_path(str(repository / "configs" / "_base_" / "noise" / f"edge_shift_{rms}_map.py"))["noise"]
    model = build_noise(config, takes=SemanticMap)
    assert (model.sigma, model.rate) == (16, 1)
    assert model.alpha * math.sqrt(2 / 3) / (2 * math.sqrt(math.pi) * model.sigma) == pytest.approx(rms, rel=1e-3)
