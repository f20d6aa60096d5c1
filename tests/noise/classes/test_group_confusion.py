import json

import numpy as np
import pytest

from noisyseg.labels import Categories, LabelError
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import NoiseConfigError, build_noise
from noisyseg.noise.classes import ClassConfusion, GroupConfusion

CITYSCAPES = ("person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle")


def matrix_by_hand(groups, rate, include_self):
    count = len(groups)
    matrix = np.zeros((count, count))
    for i in range(count):
        group = [j for j in range(count) if groups[j] == groups[i] and (include_self or j != i)]
        matrix[i, i] += 1 - rate if group else 1
        for j in group:
            matrix[i, j] += rate / len(group)
    return matrix


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("rate", [0.3, 1.0])
def test_the_confusion_matrix_is_the_one_asked_for(assert_confuses, named, include_self, rate):
    groups = ("animal", "vehicle", "animal", "food", "vehicle", "animal")
    categories = named("abcdef", groups)
    assert_confuses(GroupConfusion(rate, include_self), categories, matrix_by_hand(groups, rate, include_self))


def test_the_exclusive_convention_never_gives_the_clean_class(boxes, named):
    labels = boxes(named("abcd", "xxyy"))
    noisy = GroupConfusion(1.0, include_self=False)(labels, keyed_rng(0))
    assert (noisy.classes != labels.classes).all()
    np.testing.assert_array_equal(noisy.classes // 2, labels.classes // 2)


def test_every_class_of_a_group_is_drawn_the_last_one_too(boxes, named):
    labels = boxes(named("abcdef", "xxxyyy"), np.zeros(1000, int))
    assert set(GroupConfusion(1.0)(labels, keyed_rng(0)).classes) == {0, 1, 2}


def test_the_shipped_grouping_of_cityscapes(assert_confuses, named):
    groups = ["human"] * 2 + ["vehicle"] * 6
    model = GroupConfusion(0.4, groups="cityscapes")
    assert_confuses(model, named(CITYSCAPES), matrix_by_hand(groups, 0.4, True))


def test_a_single_group_has_the_rates_of_uniform_noise(named):
    categories = named("abcde")
    model = GroupConfusion(0.3, ungrouped="together")
    np.testing.assert_allclose(
        model.transition_matrix(categories), ClassConfusion(0.3).transition_matrix(categories), atol=1e-15
    )


@pytest.mark.parametrize(("ungrouped", "groups"), [("together", "xrrx"), ("alone", "x12x")])
def test_what_classes_without_a_group_do(named, ungrouped, groups):
    categories = named("abcd", ("x", None, None, "x"))
    model = GroupConfusion(0.5, ungrouped=ungrouped)
    np.testing.assert_allclose(model.transition_matrix(categories), matrix_by_hand(groups, 0.5, True))


@pytest.mark.parametrize("groups", [(None, None), ("", "x")])
def test_a_class_without_a_group_is_an_error_unless_asked_for(boxes, named, groups):
    labels = boxes(named(("cat", "dog"), groups))
    with pytest.raises(LabelError, match=r"expected a group for every class, but \d of 2 have none, such as 'cat'"):
        GroupConfusion(0.5)(labels, keyed_rng(0))


def test_groups_from_a_file(tmp_path, named):
    path = tmp_path / "groups.json"
    path.write_text(json.dumps({"x": ["a", "c"], "y": ["b"]}))
    categories = named("abc")
    given = GroupConfusion(0.5, groups={"x": ["a", "c"], "y": ["b"]})
    for setting in (path, str(path)):
        model = GroupConfusion(0.5, groups=setting)
        assert model.settings["groups"] == str(path)
        np.testing.assert_array_equal(model.transition_matrix(categories), given.transition_matrix(categories))


def test_one_model_serves_data_sets_of_other_classes(boxes, named):
    model = GroupConfusion(1.0, include_self=False)
    for groups in ("xxyy", "xyyx", "xxyy"):
        labels = boxes(named("abcd", groups))
        noisy = model(labels, keyed_rng(0)).classes
        numbers = np.array([ord(group) for group in groups])
        np.testing.assert_array_equal(numbers[noisy], numbers[labels.classes])


def test_more_changes_at_a_higher_rate_and_the_same(boxes, named):
    labels = boxes(named("abcdef", "xxxxyy"))
    low, high = (GroupConfusion(rate)(labels, keyed_rng(1)).classes for rate in (0.2, 0.4))
    changed = low != labels.classes
    assert 0 < changed.sum() < (high != labels.classes).sum()
    np.testing.assert_array_equal(low[changed], high[changed])


def test_the_order_of_the_objects_is_no_matter(boxes, named):
    labels = boxes(named("abcd", "xxxy"))
    order = np.random.default_rng(0).permutation(len(labels))
    model = GroupConfusion(0.5)
    np.testing.assert_array_equal(
        model(labels.take(order), keyed_rng(2)).classes, model(labels, keyed_rng(2)).classes[order]
    )


def test_classes_are_grouped_once_for_a_data_set(boxes, monkeypatch):
    names = tuple(f"class {k}" for k in range(1203))
    categories = Categories(tuple(range(1203)), names, tuple(str(k % 40) for k in range(1203)))
    monkeypatch.setattr("noisyseg.noise.kernels.classes.grouped", None)  # no matrix is needed to draw
    calls = []
    from noisyseg.noise.classes import groups

    real = groups.group_numbers
    monkeypatch.setattr("noisyseg.noise.classes.group_confusion.group_numbers", lambda *a: calls.append(1) or real(*a))
    model = GroupConfusion(0.5, include_self=False)
    labels = boxes(categories)
    noisy = model(labels, keyed_rng(0)).classes
    np.testing.assert_array_equal(noisy % 40, labels.classes % 40)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"rate": 1.5}, r"noise\.rate: expected a share in \[0, 1\], got 1\.5"),
        ({"groups": "coco"}, r"noise\.groups: expected one of cityscapes, or a \.json file, got 'coco'"),
        ({"groups": {"x": "ab"}}, r"noise\.groups: expected lists of class names by group"),
        ({"groups": {"x": ["a"], "y": ["b", "a"]}}, r"noise\.groups: expected every class once, got \['a'\] twice"),
        ({"groups": "none.json"}, r"noise\.groups: none\.json cannot be read"),
        ({"ungrouped": "skip"}, r"noise\.ungrouped: expected one of error, together, alone, got 'skip'"),
    ],
)
def test_bad_settings_are_errors_that_name_them(arguments, problem):
    with pytest.raises(NoiseConfigError, match=problem):
        build_noise({"type": "noisyseg.GroupConfusion", "rate": 0.5} | arguments)


def test_a_file_that_is_not_json_is_an_error(tmp_path):
    path = tmp_path / "groups.json"
    path.write_text("{")
    with pytest.raises(ValueError, match=r"groups: .*groups\.json is not JSON"):
        GroupConfusion(0.5, groups=path)


def test_a_name_that_is_no_class_is_an_error(boxes, named):
    model = GroupConfusion(0.5, groups={"x": ["a", "z"]}, ungrouped="alone")
    with pytest.raises(LabelError, match="groups: expected classes of the file, got 'z'; it has a, b"):
        model(boxes(named("ab")), keyed_rng(0))
