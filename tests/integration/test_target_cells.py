import numpy as np
import pytest
import torch

from noisyseg.integration.target_cells import cell_grid, cell_means, cells_of, merge_top


def test_a_grid_covers_the_image():
    assert cell_grid((1024, 2048), 8) == (128, 256)
    assert cell_grid((17, 8), 8) == (3, 1)


def test_a_pixel_belongs_to_the_square_around_it():
    index = torch.arange(5 * 7).reshape(5, 7)
    rows, columns = np.indices((5, 7))
    assert (cells_of(index, (5, 7), 3).numpy() == rows // 3 * 3 + columns // 3).all()
    assert cells_of(torch.tensor([-1, 0]), (5, 7), 3).tolist() == [6, 0]


def test_means_are_those_of_a_loop():
    generator = torch.Generator().manual_seed(0)
    probs = torch.randn(4, 6, 5, generator=generator).softmax(0)
    cells = torch.randint(0, 8, (6, 5), generator=generator)
    means, seen = cell_means(probs, cells, 7)
    for cell in range(7):
        inside = probs[:, cells == cell]
        assert seen[cell] == (inside.shape[1] > 0)
        expected = inside.mean(1) if inside.shape[1] else torch.zeros(4)
        torch.testing.assert_close(means[cell], expected)


def test_the_first_mean_is_taken_as_it_is_and_the_next_is_averaged():
    unseen = torch.zeros(2, 2, 3, dtype=torch.uint8)
    means = torch.tensor([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    first = merge_top(unseen, means, torch.tensor([True, True, False]), 0.8)
    assert first[0].T.tolist() == [[128, 76], [255, 0], [0, 0]]
    assert first[1, :, 0].tolist() == [1, 2]
    second = merge_top(first, torch.tensor([[1.0, 0.0, 0.0]] * 3), torch.tensor([True, False, True]), 0.8)
    # class 1: 0.8 * 128 = 102; class 2: 0.8 * 76 = 61; class 0: 0.2 * 255 = 51 falls off
    assert second[0].T.tolist() == [[102, 61], [255, 0], [255, 0]]
    assert second[1, :, 0].tolist() == [1, 2]


@pytest.mark.parametrize("classes", [3, 19, 256])
def test_a_seen_cell_is_never_taken_for_an_unseen_one(classes):
    uniform = torch.full((5, classes), 1 / classes)
    target = torch.zeros(2, 3, 5, dtype=torch.uint8)
    for _ in range(20):
        target = merge_top(target, uniform, torch.ones(5, dtype=torch.bool), 0.9)
    assert (target[0, 0] > 0).all()
