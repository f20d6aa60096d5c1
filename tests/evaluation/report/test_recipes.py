import pytest

from noisyseg.evaluation.report.recipes import Step, even_sizes, excessive_probs, nominal_rate, rate_checks, steps

COCO_N = {
    "type": "noisyseg.Recipe",
    "noises": [
        {"type": "noisyseg.ClassConfusion", "rate": 0.4},
        {
            "type": "noisyseg.OneOf",
            "probs": [0.3, 0.2],
            "noises": [{"type": "noisyseg.Approximation", "tolerance": 5}, {"type": "noisyseg.Scale", "size": 4}],
        },
    ],
}


def checks(recipe, counts, objects=1000, classes=10):
    return {check["op"]: check for check in rate_checks(recipe, counts, objects, classes)}


def test_chances_multiply_on_the_way_down():
    assert [(step.op, step.chance) for step in steps(COCO_N)] == [
        ("ClassConfusion", 1.0),
        ("Approximation", 0.3),
        ("Scale", 0.2),
    ]


def test_realised_counts_are_held_against_the_interval():
    found = checks(COCO_N, {"ClassConfusion": 360, "Approximation": 100, "Scale": 200})
    assert found["ClassConfusion"]["requested_rate"] == 0.36  # a tenth draws its own class
    assert found["ClassConfusion"]["passed"]
    assert found["Approximation"]["passed"] is False
    assert found["Approximation"]["realised_rate"] == 0.1
    low, high = found["Scale"]["interval"]
    assert low < 200 < high


def test_objects_are_counted_where_an_operation_stands():
    recipe = {
        "type": "Recipe",
        "noises": [
            {"type": "Missing", "rate": 0.5},
            {"type": "Rotate", "degrees": 5},
            {"type": "Bogus", "rate": 0.5},
            {"type": "Shift", "shift": 5},
            {"type": "Split", "rate": 0.1},
            {"type": "Scale", "size": 3},
        ],
    }
    found = checks(recipe, {"Missing": 480, "Rotate": 520, "Bogus": 520, "Shift": 1040, "Split": 90, "Scale": 1130})
    assert [found[op]["objects"] for op in ("Missing", "Rotate", "Bogus", "Shift", "Split", "Scale")] == [
        1000, 520, 520, 1040, 1040, None,
    ]  # fmt: skip
    assert [found[op]["passed"] for op in found] == [True, True, True, True, None, None]


def test_una_is_its_four_parts():
    recipe = {"type": "Recipe", "noises": [{"type": "Una", "rate": 0.2, "box_noise": {"type": "ResampledBox"}}]}
    found = checks(recipe, {"Missing": 200, "ClassConfusion": 180, "ResampledBox": 200, "Bogus": 250})
    assert {op: check["requested_rate"] for op, check in found.items()} == {
        "Missing": 0.2,
        "ClassConfusion": 0.18,
        "ResampledBox": 0.2,
        "Bogus": 0.25,
    }
    assert all(check["passed"] and check["objects"] == 1000 for check in found.values())


def test_exactly_passes_its_rate_on():
    recipe = {"type": "Exactly", "rate": 0.25, "noise": {"type": "CoordinateJitter", "prob": 1.0}}
    assert checks(recipe, {"CoordinateJitter": 250})["CoordinateJitter"]["requested_rate"] == 0.25


@pytest.mark.parametrize(
    "settings",
    [
        {"type": "Missing", "rate": 0.5, "guard": "last"},
        {"type": "Missing", "protocol": "keep_one"},
        {"type": "MatrixConfusion", "matrix": []},
        {"type": "other.Model", "rate": 0.5},
    ],
)
def test_what_is_not_known_is_not_judged(settings):
    assert nominal_rate(Step(settings["type"], settings, 1.0), 10) is None


def test_no_objects_are_no_rate():
    assert checks(COCO_N, {}, objects=0)["Scale"]["passed"] is None


def test_what_is_wrong_with_a_recipe():
    assert even_sizes(COCO_N) == [4]
    assert excessive_probs(COCO_N) == []
    bad = {"noises": [{"type": "OneOf", "probs": [0.7, 0.6], "noises": [{"type": "Scale", "size": 3}] * 2}]}
    assert excessive_probs(bad) == [[0.7, 0.6]]
    assert even_sizes(bad) == []
