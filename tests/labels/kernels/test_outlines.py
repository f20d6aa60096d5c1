import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from noisyseg.labels.coco import read_coco
from noisyseg.labels.kernels.outlines import runs_of_polygon
from noisyseg.labels.kernels.runs import packed

exact = st.floats(-30, 60, width=32)
# Fifths of a pixel and their middles, where rounding ties.
ties = st.integers(-300, 600).map(lambda tenths: tenths / 10)
whole = st.integers(-5, 45).map(float)


def rings(coordinates):
    return st.integers(3, 12).flatmap(lambda count: st.lists(coordinates, min_size=2 * count, max_size=2 * count))


def ours(ring, size_hw):
    return packed(runs_of_polygon(np.array(ring, np.float64), *size_hw)).tobytes()


@given(st.one_of(rings(exact), rings(ties), rings(whole)), st.integers(1, 40), st.integers(1, 40))
def test_a_polygon_has_the_runs_of_pycocotools(ring, height, width):
    expected = coco_mask.frPyObjects([ring], height, width)[0]["counts"]
    assert ours(ring, (height, width)) == expected


@pytest.mark.parametrize("ring", [[3, 3] * 3, [1, 1, 5, 1, 9, 1], [4, 1, 4, 9, 4, 3], [-9, -9, -1, -9, -1, -1]])
def test_polygons_without_an_inside(ring):
    assert ours(ring, (12, 12)) == coco_mask.frPyObjects([ring], 12, 12)[0]["counts"]


def test_real_polygons_have_the_runs_of_pycocotools(coco_tiny_dir):
    compared = 0
    for split in ("train2017", "val2017"):
        coco = read_coco(coco_tiny_dir / "annotations" / f"instances_{split}.json")
        for annotation in coco.document["annotations"]:
            if annotation["iscrowd"]:
                continue
            image = coco.images[annotation["image_id"]]
            size_hw = image["height"], image["width"]
            parts = [[float(value) for value in part] for part in annotation["segmentation"]]
            theirs = coco_mask.frPyObjects(parts, *size_hw)
            assert [ours(part, size_hw) for part in parts] == [code["counts"] for code in theirs]
            compared += len(parts)
    assert compared > 1500
