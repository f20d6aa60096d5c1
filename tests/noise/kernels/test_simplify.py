import cv2
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from noisyseg.labels.coco import read_coco
from noisyseg.noise.kernels.simplify import simplified

frames = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=3, max_side=24), elements=st.integers(0, 1))
tolerances = st.sampled_from([0.5, 1.0, 2.0, 5.0, 10.0, 15.0])


def rings_of(frame):
    rings, _ = cv2.findContours(np.ascontiguousarray(frame), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return [ring[:, 0] for ring in rings if len(ring) >= 4]


def by_geos(ring, tolerance):
    outline = shapely.simplify(shapely.linearrings(ring.astype(float)), tolerance, preserve_topology=True)
    return shapely.get_coordinates(outline).astype(np.int32)


@pytest.mark.skipif(shapely.geos_version < (3, 12), reason="older versions never remove the start vertex")
class TestLikeGeos:
    @given(frames, tolerances)
    def test_rings_of_noise(self, frame, tolerance):
        for ring in rings_of(frame):
            np.testing.assert_array_equal(simplified(ring, tolerance), by_geos(ring, tolerance))

    @given(st.integers(0, 2**32 - 1), st.floats(0.6, 4), tolerances)
    def test_rings_of_blobs(self, seed, sigma, tolerance):
        smooth = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(48, 60)), (0, 0), sigma)
        for ring in rings_of((smooth > 0).astype(np.uint8)):
            np.testing.assert_array_equal(simplified(ring, tolerance), by_geos(ring, tolerance))

    def test_real_outlines(self, coco_tiny_dir):
        compared = 0
        for split in ("train2017", "val2017"):
            coco = read_coco(coco_tiny_dir / "annotations" / f"instances_{split}.json")
            for image_id in coco.images:
                for mask in coco.instances(image_id).masks:
                    for ring in rings_of(mask.crop.pixels):
                        for tolerance in (5.0, 15.0):
                            np.testing.assert_array_equal(simplified(ring, tolerance), by_geos(ring, tolerance))
                            compared += 1
        assert compared > 3000


@given(frames, tolerances)
def test_a_ring_stays_closed_and_keeps_at_least_three_of_its_vertices(frame, tolerance):
    for ring in rings_of(frame):
        simple = simplified(ring, tolerance)
        assert simple[0].tolist() == simple[-1].tolist()
        assert 4 <= len(simple) <= len(ring) + 1
        assert {tuple(vertex) for vertex in simple.tolist()} <= {tuple(vertex) for vertex in ring.tolist()}


def test_a_square_by_hand():
    ring = np.array([[0, 0], [4, 1], [9, 0], [9, 9], [0, 9]], np.int32)
    assert simplified(ring, 0.5).tolist() == [[0, 0], [4, 1], [9, 0], [9, 9], [0, 9], [0, 0]]
    assert simplified(ring, 1.0).tolist() == [[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]]
