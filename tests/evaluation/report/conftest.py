"""COCO files written by hand for the noise report."""

import json

import pytest

from noisyseg.evaluation.report import write_noise_report

DRAWINGS = "noisyseg.evaluation.report.page.figures"
CATEGORIES = [{"id": 3, "name": "cat", "supercategory": "pet"}, {"id": 7, "name": "dog", "supercategory": "pet"}]


def rectangle(x, y, width, height):
    """Return the polygon of a box."""
    return [[x, y, x + width, y, x + width, y + height, x, y + height]]


def make_annotation(id_, box, category=3, image=1, **more):
    """Return an annotation whose mask fills its box."""
    return {
        "id": id_,
        "image_id": image,
        "category_id": category,
        "segmentation": rectangle(*box),
        "bbox": list(box),
        "area": box[2] * box[3],
        "iscrowd": 0,
    } | more


def make_image(id_, width=60, height=40):
    """Return an entry of ``images``."""
    return {"id": id_, "file_name": f"{id_}.png", "width": width, "height": height}


IMAGES = (make_image(1), make_image(2))


@pytest.fixture
def annotation():
    return make_annotation


@pytest.fixture
def image():
    return make_image


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a COCO file."""

    def write_file(name, annotations, images=IMAGES, categories=CATEGORIES):
        path = tmp_path / name
        document = {"images": list(images), "annotations": annotations, "categories": categories}
        path.write_text(json.dumps(document))
        return path

    return write_file


@pytest.fixture
def no_figures(monkeypatch):
    """Leave the drawings out, which take most of the time; tests/evaluation/report/test_figures.py looks at them."""
    monkeypatch.setattr(DRAWINGS, lambda report: {})


@pytest.fixture
def mistakes(write):
    """Return a clean file and one with every kind of mistake.

    Annotation 1 stays; 2 has another class; 3 is shifted by 2 to the right; 4 is missing; 5 grew by a pixel and kept
    its box; 6 (image 2) has a hole; 7 has another box only; 8, a crowd, moved; 20 is bogus; 21 is a piece of 1.
    """
    clean = [
        make_annotation(1, (2, 2, 10, 10)),
        make_annotation(2, (20, 2, 10, 10)),
        make_annotation(3, (2, 20, 10, 10)),
        make_annotation(4, (40, 20, 10, 10), 7),
        make_annotation(5, (20, 20, 10, 10), 7),
        make_annotation(6, (5, 5, 30, 30), image=2),
        make_annotation(7, (40, 5, 10, 10), image=2),
        make_annotation(8, (50, 20, 5, 5), image=2, iscrowd=1),
    ]
    ring = {"size": [40, 60], "counts": _ring_counts()}
    noisy = [
        clean[0],
        clean[1] | {"category_id": 7},
        make_annotation(3, (4, 20, 10, 10)),
        make_annotation(5, (19, 19, 12, 12), 7) | {"bbox": [20, 20, 10, 10]},
        clean[5] | {"segmentation": ring},
        clean[6] | {"bbox": [41, 5, 10, 10]},
        make_annotation(8, (51, 20, 5, 5), image=2, iscrowd=1),
        make_annotation(20, (50, 2, 8, 8), 7, noise={"chain": [{"op": "Bogus"}], "flags": ["bogus"]}),
        make_annotation(21, (30, 15, 4, 4), noise={"chain": [{"op": "Split"}], "flags": ["piece"], "source_id": 1}),
    ]
    return write("clean.json", clean), write("noisy.json", noisy)


def _ring_counts():
    """Return the uncompressed runs of columns 5..34, rows 5..34, without pixel (10, 10)."""
    columns = [[0] * 40 if not 5 <= x < 35 else [int(5 <= y < 35) for y in range(40)] for x in range(60)]
    columns[10][10] = 0
    counts, value = [0], 0
    for pixel in (pixel for column in columns for pixel in column):
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return counts


@pytest.fixture
def report(mistakes, tmp_path, monkeypatch):
    """Return the report on `mistakes`, made without drawings."""
    monkeypatch.setattr(DRAWINGS, lambda report: {})
    return write_noise_report(*mistakes, tmp_path / "report")
