from noisyseg.integration.demo.training import Curve


def test_best_is_the_first_of_the_highest():
    assert Curve([10, 20, 30], [1.0, 5.0, 5.0]).best == (20, 5.0)


def test_last_and_at():
    curve = Curve([10, 20, 30], [1.0, 5.0, 4.0])
    assert curve.last == 4.0
    assert curve.at(10) == 1.0
