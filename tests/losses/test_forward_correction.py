import json
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from noisyseg.losses import CrossEntropy, ForwardCorrection, forward_correction

KNOWN = torch.tensor([[2.0, 0.0, -1.0]] * 2, dtype=torch.float64)
UNIFORM = [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]
GENERATOR = torch.Generator().manual_seed(0)
LOGITS = 2 * torch.randn(2, 3, 5, 6, generator=GENERATOR, dtype=torch.float64)
LABELS = torch.randint(0, 3, (2, 5, 6), generator=GENERATOR)
UNEVEN = [[0.7, 0.0, 0.3], [0.2, 0.6, 0.2], [0.0, 0.0, 1.0]]


def value_and_gradient(function, logits=LOGITS):
    logits = logits.clone().requires_grad_()
    values = function(logits)
    (gradient,) = torch.autograd.grad(values.sum(), logits)
    return values.detach(), gradient


def test_known_values():
    loss = ForwardCorrection(UNIFORM, epsilon=0, reduction="none")
    expected = torch.tensor([0.3701, 2.0448], dtype=torch.float64)
    torch.testing.assert_close(loss(KNOWN, torch.tensor([0, 2])), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("matrix", [UNIFORM, UNEVEN])
def test_values_and_gradient_are_those_of_the_definition(matrix):
    transition = torch.tensor(matrix, dtype=torch.float64)

    def definition(logits):
        given = torch.einsum("nkhw,kj->njhw", logits.softmax(1), transition)
        return -given.gather(1, LABELS[:, None]).log().squeeze(1)

    ours = value_and_gradient(lambda z: forward_correction(z, LABELS, transition))
    torch.testing.assert_close(ours, value_and_gradient(definition))


@pytest.mark.parametrize("scale", [1.0, 100.0])
@pytest.mark.parametrize("epsilon", [0.0, 0.5])
def test_the_identity_is_cross_entropy(scale, epsilon):
    logits = (scale * LOGITS).float()
    loss = ForwardCorrection(np.eye(3).tolist(), epsilon)
    ours = value_and_gradient(lambda z: loss(z, LABELS), logits)
    torch.testing.assert_close(ours, value_and_gradient(lambda z: CrossEntropy()(z, LABELS), logits))


def test_a_prediction_that_noise_explains_costs_what_the_noise_does():
    sure = torch.tensor([[0.0, 100.0, 0.0]])
    values = forward_correction(sure, torch.tensor([0]), torch.tensor(UNEVEN))
    assert values.item() == pytest.approx(-math.log(0.2))


def test_probabilities_below_the_smallest_float_leave_value_and_gradient_finite():
    logits = torch.tensor([[-100.0, 150.0, -150.0]], requires_grad=True)
    transition = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.4, 0.0, 0.6]])
    value = forward_correction(logits, torch.tensor([0]), transition)
    value.sum().backward()
    assert value.item() == pytest.approx(250)
    assert logits.grad[0].tolist() == pytest.approx([-1, 1, 0])


def test_a_rate_is_the_matrix_of_uniform_noise():
    matrix = ForwardCorrection(UNIFORM)(LOGITS, LABELS)
    torch.testing.assert_close(ForwardCorrection(0.2)(LOGITS, LABELS), matrix)
    torch.testing.assert_close(ForwardCorrection(0)(LOGITS, LABELS), CrossEntropy()(LOGITS, LABELS))


def test_epsilon_mixes_in_the_identity():
    mixed = (0.9 * np.array(UNEVEN) + 0.1 * np.eye(3)).tolist()
    ours = ForwardCorrection(UNEVEN, epsilon=0.1)(LOGITS, LABELS)
    torch.testing.assert_close(ours, ForwardCorrection(mixed, epsilon=0)(LOGITS, LABELS))


def test_renaming_the_classes_of_matrix_logits_and_labels_changes_nothing():
    order = [2, 0, 1]
    renamed = np.array(UNEVEN)[np.ix_(order, order)].tolist()
    labels = torch.argsort(torch.tensor(order))[LABELS]
    ours = ForwardCorrection(renamed)(LOGITS[:, order], labels)
    torch.testing.assert_close(ours, ForwardCorrection(UNEVEN)(LOGITS, LABELS))


def test_boxes_and_volumes():
    flat, labels = LOGITS.movedim(1, -1).reshape(-1, 3), LABELS.flatten()
    expected = ForwardCorrection(UNEVEN)(LOGITS, LABELS)
    torch.testing.assert_close(ForwardCorrection(UNEVEN)(flat, labels), expected)
    volume = ForwardCorrection(UNEVEN)(LOGITS.reshape(2, 3, 5, 2, 3), LABELS.reshape(2, 5, 2, 3))
    torch.testing.assert_close(volume, expected)


def test_the_sigmoid_form_goes_from_absent_and_present():
    target = (LOGITS.flip(0) > 0).double()
    p = LOGITS.sigmoid()
    given = 0.1 * (1 - p) + 0.6 * p  # absent objects seen with 0.1, present ones with 0.6
    expected = F.binary_cross_entropy(given, target)
    loss = ForwardCorrection([[0.9, 0.1], [0.4, 0.6]], epsilon=0, use_sigmoid=True)
    torch.testing.assert_close(loss(LOGITS, target), expected)


def test_a_matrix_comes_from_a_file(tmp_path):
    as_json, as_npy = tmp_path / "t.json", tmp_path / "t.npy"
    as_json.write_text(json.dumps(UNEVEN))
    np.save(as_npy, np.array(UNEVEN))
    expected = ForwardCorrection(UNEVEN)(LOGITS, LABELS)
    torch.testing.assert_close(ForwardCorrection(str(as_json))(LOGITS, LABELS), expected)
    torch.testing.assert_close(ForwardCorrection(as_npy)(LOGITS, LABELS), expected)


def test_a_weak_diagonal_is_taken_where_it_is_allowed():
    weak = [[0.4, 0.6], [0.0, 1.0]]
    with pytest.raises(ValueError, match=r"class 0 keeps its label with probability 0.4, below 0.5"):
        ForwardCorrection(weak)
    assert torch.isfinite(ForwardCorrection(weak, allow_weak_diagonal=True)(LOGITS[:, :2], LABELS.clamp(max=1)))


@pytest.mark.parametrize(
    ("transition", "settings", "message"),
    [
        ([[0.8, 0.1], [0.2, 0.8]], {}, "rows that sum to 1; row 0 sums to 0.9"),
        ([[1.2, -0.2], [0.2, 0.8]], {}, "numbers >= 0, not -0.2"),
        ([[math.nan, 1.0], [0.2, 0.8]], {}, "numbers >= 0, not nan"),
        ([[0.8, 0.1, 0.1], [0.2, 0.8, 0.0]], {}, r"\(K, K\) matrix .* not the shape \(2, 3\)"),
        ([[0.8, 0.2], [1.0]], {}, "rows of numbers, all of one length"),
        (0.5, {}, r"a rate in \[0, 0.5\), or a matrix, not 0.5"),
        (UNIFORM, dict(epsilon=1.0), "epsilon: expected 0 <= epsilon < 1"),
        (UNIFORM, dict(use_sigmoid=True), "the sigmoid form has 2 classes, the matrix has 3"),
        ([[0.0, 1.0], [0.0, 1.0]], dict(epsilon=0, allow_weak_diagonal=True), "class 0 never keeps its label"),
        ("matrix.csv", {}, "expected a .json or .npy file"),
    ],
)
def test_bad_settings_raise(transition, settings, message):
    with pytest.raises(ValueError, match=message):
        ForwardCorrection(transition, **settings)


def test_a_file_that_is_not_there_raises(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere.json"):
        ForwardCorrection(tmp_path / "nowhere.json")


def test_another_number_of_classes_raises():
    with pytest.raises(ValueError, match=r"transition: expected \(3, 3\) for these logits, not \(2, 2\)"):
        ForwardCorrection([[0.8, 0.2], [0.2, 0.8]])(LOGITS, LABELS)


def test_settings_are_printed():
    assert "transition=3 classes, epsilon=0.01" in repr(ForwardCorrection(UNIFORM))
    assert "transition=0.2, epsilon=0.01" in repr(ForwardCorrection(0.2))
