import json

import numpy as np
import pytest

from noisyseg.labels import LabelError
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import NoiseConfigError, build_noise
from noisyseg.noise.classes import MatrixConfusion

MATRIX = np.array([[0.7, 0.3, 0.0], [0.25, 0.5, 0.25], [0.1, 0.9, 0.0]])


def test_the_confusion_matrix_is_the_one_asked_for(assert_confuses, named):
    assert_confuses(MatrixConfusion(MATRIX), named("abc"), MATRIX)


@pytest.mark.parametrize("ending", ["npy", "csv", "json"])
def test_matrices_from_files(tmp_path, boxes, named, ending):
    path = tmp_path / f"matrix.{ending}"
    if ending == "npy":
        np.save(path, MATRIX)
    elif ending == "csv":
        np.savetxt(path, MATRIX, delimiter=",")
    else:
        path.write_text(json.dumps(MATRIX.tolist()))
    labels = boxes(named("abc"))
    model = MatrixConfusion(path)
    assert model.settings == {"matrix": str(path)}
    np.testing.assert_array_equal(
        model(labels, keyed_rng(0)).classes, MatrixConfusion(MATRIX)(labels, keyed_rng(0)).classes
    )


def test_named_rows_are_matched_by_name(tmp_path, named):
    path = tmp_path / "matrix.json"
    path.write_text(json.dumps({"classes": ["c", "a", "b"], "matrix": MATRIX.tolist()}))
    matrix = MatrixConfusion(path).transition_matrix(named("abc"))
    # Row c of the file is its first.
    np.testing.assert_array_equal(matrix, [[0.5, 0.25, 0.25], [0.9, 0.0, 0.1], [0.3, 0.0, 0.7]])
    with pytest.raises(LabelError, match="matrix: expected classes of the file, got 'c'; it has a, b, x"):
        MatrixConfusion(path).transition_matrix(named("abx"))


def test_a_matrix_for_another_number_of_classes_is_an_error(boxes, named):
    with pytest.raises(LabelError, match="matrix: expected 2 rows, one a class, got 3"):
        MatrixConfusion(MATRIX)(boxes(named("ab")), keyed_rng(0))


@pytest.mark.parametrize(
    ("matrix", "problem"),
    [
        ([[1, 0], [0.5, 0.6]], r"noise\.matrix\[1\]: expected a sum of 1, got 1\.1"),
        ([[1.5, -0.5], [0, 1]], r"noise\.matrix\[0\]: expected numbers >= 0, got -0\.5"),
        ([[1, 0]], r"noise\.matrix: expected K rows of K numbers, got shape \(1, 2\)"),
        ("matrix.txt", r"noise\.matrix: expected numbers, or a file \.npy, \.csv or \.json, got matrix\.txt"),
        ("none.npy", r"noise\.matrix: none\.npy cannot be read"),
        ("none.csv", r"noise\.matrix: none\.csv cannot be read"),
    ],
)
def test_bad_settings_are_errors_that_name_them(matrix, problem):
    with pytest.raises(NoiseConfigError, match=problem):
        build_noise({"type": "noisyseg.MatrixConfusion", "matrix": matrix})


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("m.csv", "a,b\n1,0\n", r"matrix: .*m\.csv does not hold numbers"),
        ("m.npy", "1,0", r"matrix: .*m\.npy does not hold numbers"),
        ("m.json", "{", r"matrix: .*m\.json is not JSON"),
        ("m.json", '{"matrix": [[1]]}', r"expected names under 'classes' and rows under 'matrix' in .*m\.json"),
        ("m.json", '{"classes": ["a", "a"], "matrix": [[1, 0], [0, 1]]}', "expected a name for each of 2 rows"),
    ],
)
def test_bad_files_are_errors_that_name_them(tmp_path, name, text, problem):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=problem):
        MatrixConfusion(tmp_path / name)
