import numpy as np
import pytest
import torch

from noisyseg.transitions import local_complexity, shift_energy


@pytest.fixture
def golden(golden_dir):
    return {key: torch.from_numpy(value)[:, None] for key, value in np.load(golden_dir / "pnt_edge.npz").items()}


def test_the_released_code_gives_the_same_for_single_images(golden):
    found = local_complexity(golden["density"], golden["pred"] > 0.1)
    torch.testing.assert_close(found, golden["complexity"], atol=1e-6, rtol=0)
    energy = shift_energy(golden["flow"][:, 0], golden["target"] > 0, least=1e-10)
    torch.testing.assert_close(energy, golden["dist"], atol=1e-6, rtol=0)


def test_edges_everywhere_are_thinned_at_the_border_alone():
    everywhere = torch.ones(1, 1, 40, 30, dtype=torch.bool)
    found = local_complexity(everywhere, everywhere)
    assert found[0, 0, 7:-7, 7:-7] == pytest.approx(1)
    assert found[0, 0, [0, 0, -1, -1], [0, -1, 0, -1]].tolist() == pytest.approx([64 / 225] * 4)


def test_images_of_a_batch_do_not_see_each_other():
    edges, sure = torch.rand(2, 1, 20, 20) < 0.1, torch.rand(2, 1, 20, 20) < 0.5
    edges[1] &= torch.rand(1, 20, 20) < 0.2
    field = torch.randn(2, 2, 20, 20)
    field[1] *= 20
    for image in range(2):
        alone = slice(image, image + 1)
        assert torch.equal(local_complexity(edges, sure)[alone], local_complexity(edges[alone], sure[alone]))
        assert torch.equal(shift_energy(field, sure)[alone], shift_energy(field[alone], sure[alone]))


def test_nothing_to_see_gives_zeros_and_no_nan():
    none, some = torch.zeros(1, 1, 9, 9, dtype=torch.bool), torch.ones(1, 1, 9, 9, dtype=torch.bool)
    assert not local_complexity(none, some).any()
    assert not local_complexity(some, none).any()
    field = torch.ones(1, 2, 9, 9, requires_grad=True)
    shift_energy(field, none).sum().backward()
    assert not field.grad.any()


def test_shifts_below_a_pixel_stay_small():
    field, labelled = torch.full((1, 2, 9, 9), 0.1), torch.ones(1, 1, 9, 9, dtype=torch.bool)
    assert shift_energy(field, labelled).max() == pytest.approx(0.02)
    assert shift_energy(10 * field, labelled).max() == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: local_complexity(torch.ones(1, 2, 4, 4), torch.ones(1, 2, 4, 4)),
            "expected image_edges and confident",
        ),
        (
            lambda: local_complexity(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 4, 4)),
            "confident: expected bool, got torch.float32",
        ),
        (lambda: local_complexity(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 4, 4).bool(), 4), "window: expected an odd"),
        (lambda: shift_energy(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 4, 4)), "expected field"),
        (lambda: shift_energy(torch.ones(1, 2, 4, 4), torch.ones(1, 1, 4, 4), 0), "least: expected px"),
    ],
)
def test_wrong_input_says_what_was_expected(call, message):
    with pytest.raises(ValueError, match=message):
        call()
