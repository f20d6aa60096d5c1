import numpy as np

from noisyseg.noise.kernels.superpixels import class_counts, slic_superpixels


def test_counts_are_those_of_counting():
    rng = np.random.default_rng(0)
    superpixels = rng.integers(0, 7, (20, 30))
    classes = rng.choice(np.array([0, 1, 2, 255], np.uint8), (20, 30))
    counts = class_counts(superpixels, classes, 4)
    assert counts.shape == (7, 4)
    for number in range(7):
        for class_ in range(4):
            assert counts[number, class_] == ((superpixels == number) & (classes == class_)).sum()


def test_superpixels_follow_the_image():
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 23:] = (200, 60, 20)
    numbers = slic_superpixels(image, 12, 10.0)
    assert numbers.shape == (40, 60)
    assert numbers.min() == 0
    assert set(np.unique(numbers[:, :23])).isdisjoint(np.unique(numbers[:, 23:]))
