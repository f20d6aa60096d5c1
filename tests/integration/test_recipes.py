import pytest

from noisyseg.integration.recipes import load_recipe, shipped_recipes
from noisyseg.labels import Instances
from noisyseg.noise import Recipe, build_noise

LEVELS = ("easy", "medium", "hard")


def test_the_shipped_recipes():
    expected = {f"coco_n_{level}{mode}" for level in LEVELS for mode in ("", "_official")}
    assert expected <= set(shipped_recipes())


@pytest.mark.parametrize("name", shipped_recipes())
def test_each_shipped_recipe_is_built(name):
    config = load_recipe(name)
    assert type(config) is dict
    model = build_noise(config)
    # Only label files of instances have rules of their own.
    assert isinstance(model, Recipe) == (model.takes is Instances)


@pytest.mark.parametrize(
    ("level", "rate", "share", "strength"),
    [("easy", 0.2, 0.2, (5, 2, 3)), ("medium", 0.3, 0.25, (10, 3, 5)), ("hard", 0.4, 0.3, (15, 4, 7))],
)
def test_the_settings_are_the_published_ones(level, rate, share, strength):
    for mode in ("fixed", "official"):
        recipe = build_noise(load_recipe(f"coco_n_{level}" + ("_official" if mode == "official" else "")))
        classes, one_of = recipe.noises
        assert (classes.rate, classes.include_self) == (rate, True)
        assert one_of.probs == [share] * 3
        approximation, localization, scale = one_of.noises
        assert (approximation.tolerance, localization.sigma, scale.size) == strength
        assert (approximation.mode, localization.mode) == (mode, mode)
        rules = (recipe.on_empty, recipe.boxes, recipe.crowds)
        assert rules == (("keep", "keep", "noise") if mode == "official" else ("restore", "tight", "keep"))


def test_a_recipe_of_ones_own(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("_base_ = 'noisyseg::_base_/noise/coco_n_hard.py'\nnoise = dict(on_empty='drop')\n")
    recipe = build_noise(load_recipe(path))
    assert recipe.on_empty == "drop"
    assert len(recipe.noises) == 2


def test_a_file_comes_before_a_shipped_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "coco_n_hard").write_text("not python")
    with pytest.raises(ValueError, match="coco_n_hard: cannot be read as a config"):
        load_recipe("coco_n_hard")


def test_an_unknown_recipe_is_an_error_that_lists_the_shipped_ones():
    with pytest.raises(FileNotFoundError, match=r"coco_n_extreme: no such file, .*, coco_n_easy, .*coco_n_hard"):
        load_recipe("coco_n_extreme")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("noise = dict(", "cannot be read as a config"),
        ("noise = dict(type=undefined)", "cannot be read as a config"),
        ("nois = dict(type='noisyseg.Recipe')", r"expected a variable noise = dict\(type=\.\.\.\), got None"),
        ("noise = dict(noises=[])", r"expected a variable noise = dict\(type=\.\.\.\), got"),
        ("noise = 'hard'", r"expected a variable noise = dict\(type=\.\.\.\), got 'hard'"),
    ],
)
def test_a_file_without_a_recipe_is_an_error_that_names_it(tmp_path, text, problem):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"mine\.py: {problem}"):
        load_recipe(path)


def test_a_folder_is_no_recipe(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_recipe(tmp_path)
