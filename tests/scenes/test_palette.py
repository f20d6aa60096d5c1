from noisyseg.scenes import CLASSES, PALETTE
from noisyseg.scenes.palette import edge_palette


def test_every_class_has_a_colour_of_its_own():
    assert len(set(PALETTE)) == len(PALETTE) == len(CLASSES) + 1


def test_edges_have_the_colours_of_their_classes():
    colours = edge_palette()
    assert len(colours) == 64
    assert colours[0] == (0, 0, 0)
    assert [colours[1 << k] for k in range(6)] == list(PALETTE[1:])
    assert colours[3] == tuple((a + b) // 2 for a, b in zip(PALETTE[1], PALETTE[2], strict=True))
