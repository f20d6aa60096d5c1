import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from noisyseg.labels.coco import read_coco
from noisyseg.noise.kernels.masks import parts
from noisyseg.noise.kernels.tracing import ISLAND, OUTER, borders

frames = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=20), elements=st.integers(0, 1))
blobs = st.tuples(st.integers(0, 2**32 - 1), st.floats(0.4, 3)).map(
    lambda drawn: (
        cv2.GaussianBlur(np.random.default_rng(drawn[0]).normal(size=(30, 37)), (0, 0), drawn[1]) > -0.02
    ).astype(np.uint8)
)


def by_opencv(pixels, *, holes):
    mode = cv2.RETR_CCOMP if holes else cv2.RETR_EXTERNAL
    rings, hierarchy = cv2.findContours(pixels, mode, cv2.CHAIN_APPROX_SIMPLE)
    parents = hierarchy[0, :, 3].tolist() if rings else []
    rings = [ring[:, 0].tolist() for ring in rings]
    inner = [[ring for ring, parent in zip(rings, parents, strict=True) if parent == i] for i in range(len(rings))]
    return [(rings[i], inner[i]) for i, parent in enumerate(parents) if parent < 0]


def ours(pixels, *, holes):
    return [(part.outer.tolist(), [ring.tolist() for ring in part.holes]) for part in parts(pixels, holes=holes)]


@pytest.mark.parametrize("holes", [True, False])
@given(pixels=st.one_of(frames, blobs))
def test_rings_are_those_of_opencv_in_its_order(pixels, holes):
    assert ours(pixels, holes=holes) == by_opencv(pixels, holes=holes)


def test_real_masks(coco_tiny_dir):
    coco = read_coco(coco_tiny_dir / "annotations" / "instances_val2017.json")
    compared = 0
    for image_id in coco.images:
        for mask in coco.instances(image_id).masks:
            for holes in (True, False):
                assert ours(mask.crop.pixels, holes=holes) == by_opencv(mask.crop.pixels, holes=holes)
            compared += 1
    assert compared > 800


def test_what_a_ring_is():
    pixels = np.ones((9, 9), np.uint8)
    pixels[1:8, 1:8] = 0
    pixels[3:6, 3:6] = 1
    points, starts, parents = borders(pixels)
    assert parents.tolist() == [OUTER, 0, ISLAND]
    assert starts.tolist() == [0, 4, 12, 16]
    assert points[:4].tolist() == [[0, 0], [0, 8], [8, 8], [8, 0]]
    assert points.dtype == np.int32


def test_read_only_pixels_and_views_of_them_are_traced_alike():
    pixels = np.kron(np.eye(5, dtype=np.uint8), np.ones((3, 3), np.uint8))
    wide = np.zeros((15, 30), np.uint8)
    wide[:, ::2] = pixels
    expected = ours(pixels, holes=True)
    pixels.setflags(write=False)
    assert ours(pixels, holes=True) == ours(wide[:, ::2], holes=True) == ours(np.asfortranarray(pixels), holes=True)
    assert ours(pixels, holes=True) == expected


def test_more_rings_and_vertices_than_expected():
    checks = np.indices((60, 60)).sum(axis=0).astype(np.uint8) % 2
    assert ours(checks, holes=True) == by_opencv(checks, holes=True)
    dots = np.zeros((60, 60), np.uint8)
    dots[::2, ::2] = 1
    assert len(ours(dots, holes=True)) == 900
    assert ours(dots, holes=True) == by_opencv(dots, holes=True)
