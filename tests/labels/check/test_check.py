"""Broken documents, each with the code that it must give, and no other error or warning."""

import copy
import json
from dataclasses import dataclass, field
from operator import delitem, setitem

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noisyseg.labels.check import CODES, Finding, check_coco, exit_code, json_report, text_report
from noisyseg.labels.coco import read_coco

NAN, INF = float("nan"), float("inf")
POLYGON = "annotations", 0
CROWD = "annotations", 2


def at(document, *path):
    for key in path:
        document = document[key]
    return document


def put(value, *path):
    """A mutation that writes `value` at a path."""
    return lambda document: setitem(at(document, *path[:-1]), path[-1], value)


def cut(*path):
    """A mutation that deletes what is at a path."""
    return lambda document: delitem(at(document, *path[:-1]), path[-1])


def grow(change, *path):
    """A mutation that appends a changed copy of the entry at a path to its list."""
    return lambda document: at(document, *path[:-1]).append({**at(document, *path), **change})


def drop_masks(document):
    for annotation in document["annotations"]:
        del annotation["segmentation"]


def mix_forms(document):
    document["annotations"][2].update(iscrowd=0)


def polygon(*numbers):
    return put([list(numbers)], *POLYGON, "segmentation")


def rle(size, counts):
    return put({"size": size, "counts": counts}, *CROWD, "segmentation")


@dataclass
class Broken:
    name: str
    mutate: object
    code: str
    also: set = field(default_factory=set)
    """Codes that the same fault must give as well."""


BROKEN = [
    # top level
    Broken("no images", cut("images"), "key-missing", {"image-unknown"}),
    Broken("no annotations", cut("annotations"), "key-missing"),
    Broken("no categories", cut("categories"), "key-missing", {"category-unknown"}),
    Broken("annotations null", put(None, "annotations"), "type-wrong"),
    Broken("annotations an object", put({}, "annotations"), "type-wrong"),
    Broken("annotations empty", put([], "annotations"), "list-empty"),
    Broken("an annotation null", put(None, *POLYGON), "type-wrong"),
    Broken("an image a string", put("a.png", "images", 0), "type-wrong", {"image-unknown"}),
    Broken("a category a string", put("cat", "categories", 0), "type-wrong", {"category-unknown"}),
    Broken("no info", cut("info"), "info-missing"),
    # ids
    Broken("annotation id absent", cut(*POLYGON, "id"), "key-missing"),
    Broken("annotation id zero", put(0, *POLYGON, "id"), "annotation-id-zero"),
    Broken("annotation id negative", put(-5, *POLYGON, "id"), "id-negative"),
    Broken("annotation id a string", put("11", *POLYGON, "id"), "id-type"),
    Broken("annotation id a float", put(11.0, *POLYGON, "id"), "id-type"),
    Broken("annotation id a bool", put(True, *POLYGON, "id"), "id-type"),
    Broken("annotation id null", put(None, *POLYGON, "id"), "id-type"),
    Broken("annotation id a list", put([11], *POLYGON, "id"), "id-type"),
    Broken("annotation id beyond 2^53", put(2**53 + 1, *POLYGON, "id"), "id-huge"),
    Broken("annotation id beyond 64 bits", put(2**70, *POLYGON, "id"), "id-huge"),
    Broken("annotation id twice", put(12, *POLYGON, "id"), "id-duplicate"),
    Broken("image id absent", cut("images", 0, "id"), "key-missing", {"image-unknown"}),
    Broken("image id twice", grow({"file_name": "c.png"}, "images", 0), "id-duplicate"),
    Broken("image id a string", put("1", "images", 0, "id"), "id-type", {"image-unknown"}),
    Broken("category id twice", grow({"name": "dog"}, "categories", 0), "id-duplicate"),
    Broken("category id a float", put(1.0, "categories", 0, "id"), "id-type", {"category-unknown"}),
    Broken("category id zero", grow({"id": 0, "name": "dog"}, "categories", 0), "category-id-zero"),
    Broken("image id zero", grow({"id": 0, "file_name": "c.png"}, "images", 0), "image-id-zero"),
    # references
    Broken("image unknown", put(99, *POLYGON, "image_id"), "image-unknown"),
    Broken("image_id a string", put("1", *POLYGON, "image_id"), "id-type"),
    Broken("image_id a float", put(1.0, *POLYGON, "image_id"), "id-type"),
    Broken("image_id a list", put([1], *POLYGON, "image_id"), "id-type"),
    Broken("image_id absent", cut(*POLYGON, "image_id"), "key-missing"),
    Broken("category unknown", put(2, *POLYGON, "category_id"), "category-unknown"),
    Broken("category_id a bool", put(True, *POLYGON, "category_id"), "id-type"),
    Broken("category_id an object", put({}, *POLYGON, "category_id"), "id-type"),
    Broken("category_id absent", cut(*POLYGON, "category_id"), "key-missing"),
    # polygons
    Broken("polygon with NaN", polygon(4, 4, NAN, 4, 20, 20), "polygon-nan", {"json-nan"}),
    Broken("polygon with Infinity", polygon(4, 4, INF, 4, 20, 20), "polygon-nan", {"json-nan"}),
    Broken("polygon beyond floats", polygon(4, 4, 10**400, 4, 20, 20), "polygon-nan", {"json-strict"}),
    Broken("polygon of odd length", polygon(4, 4, 20, 4, 20, 20, 4), "polygon-odd"),
    Broken("polygon of 4 numbers", polygon(4, 4, 20, 20), "polygon-short"),
    Broken("polygon of 2 numbers", polygon(4, 4), "polygon-short"),
    Broken("polygon of no numbers", polygon(), "polygon-short"),
    Broken("polygon not nested", put([4, 4, 20, 4, 20, 20], *POLYGON, "segmentation"), "polygon-type"),
    Broken("polygon of pairs", polygon([4, 4], [20, 4], [20, 20]), "polygon-type"),
    Broken("polygon with a string", polygon(4, 4, "20", 4, 20, 20), "polygon-type"),
    Broken("polygon with null", polygon(4, 4, None, 4, 20, 20), "polygon-type"),
    Broken("polygon with a bool", polygon(4, 4, True, 4, 20, 20), "polygon-type"),
    Broken("polygon a number", put([[4, 4, 20, 4, 20, 20], 7], *POLYGON, "segmentation"), "polygon-type"),
    Broken(
        "polygon outside",
        polygon(4, 4, 45, 4, 45, 20, 4, 20),
        "polygon-outside",
        {"bbox-mismatch", "area-mismatch"},
    ),
    Broken("polygon far outside", polygon(100, 100, 120, 100, 120, 120), "mask-empty", {"polygon-outside"}),
    Broken("polygon at 1e9", polygon(4, 4, 1e9, 4, 1e9, 1e9), "polygon-huge"),
    Broken("polygon at 1e300", polygon(4, 4, 1e300, 4, 1e300, 1e300), "polygon-huge"),
    Broken("polygon at -1e9", polygon(4, 4, -1e9, 4, 20, 20), "polygon-huge"),
    Broken("polygon too long", polygon(*[0, 0, 1e6, 1e6] * 8), "polygon-huge"),
    Broken("polygon of fractions", polygon(0.1, 0.1, 0.4, 0.1, 0.4, 0.4), "mask-empty"),
    Broken("polygon of one point", polygon(4, 4, 4, 4, 4, 4), "mask-empty"),
    # other segmentations
    Broken("segmentation empty", put([], *POLYGON, "segmentation"), "segmentation-empty"),
    Broken("segmentation absent", cut(*POLYGON, "segmentation"), "segmentation-missing"),
    Broken("segmentation null", put(None, *POLYGON, "segmentation"), "segmentation-missing"),
    Broken("segmentation a string", put("300 30", *POLYGON, "segmentation"), "segmentation-type"),
    Broken("segmentation a number", put(0, *POLYGON, "segmentation"), "segmentation-type"),
    Broken("no segmentation at all", drop_masks, "boxes-only"),
    Broken("polygons and RLE", mix_forms, "segmentation-mixed"),
    # RLE
    Broken("RLE swapped", rle([40, 30], [300, 30, 30, 30, 810]), "rle-size"),
    Broken("RLE of another size", rle([31, 40], [300, 30, 30, 30, 850]), "rle-size"),
    Broken("RLE without size", put({"counts": [1200]}, *CROWD, "segmentation"), "rle-type"),
    Broken("RLE size of floats", rle([30.0, 40], [300, 30, 30, 30, 810]), "rle-type"),
    Broken("RLE size zero", rle([0, 40], []), "rle-type"),
    Broken("RLE without counts", put({"size": [30, 40]}, *CROWD, "segmentation"), "rle-type"),
    Broken("RLE counts of floats", rle([30, 40], [300.0, 30, 870]), "rle-type"),
    Broken("RLE counts of bools", rle([30, 40], [True, 30, 1169]), "rle-type"),
    Broken("RLE too short", rle([30, 40], [300, 30, 30, 30]), "rle-total"),
    Broken("RLE too long", rle([30, 40], [300, 30, 30, 30, 811]), "rle-total"),
    Broken("RLE of no runs", rle([30, 40], []), "rle-total"),
    Broken("RLE of 10^30", rle([30, 40], [300, 10**30]), "rle-total"),
    Broken("RLE negative", rle([30, 40], [300, -30, 930]), "rle-negative"),
    Broken("RLE all background", rle([30, 40], [1200]), "mask-empty"),
    Broken("RLE string too short", rle([30, 40], "0"), "rle-total"),
    Broken("RLE string empty", rle([30, 40], ""), "rle-total"),
    Broken("RLE string cut off", rle([30, 40], "l9P"), "rle-encoding"),
    Broken("RLE string outside the alphabet", rle([30, 40], "l9 0"), "rle-encoding"),
    Broken("RLE string not ASCII", rle([30, 40], "é9"), "rle-encoding"),
    Broken("RLE string negative", rle([30, 40], "O"), "rle-negative"),
    # boxes
    Broken("bbox absent", cut(*POLYGON, "bbox"), "bbox-missing"),
    Broken("bbox null", put(None, *POLYGON, "bbox"), "bbox-type"),
    Broken("bbox of 3 numbers", put([4, 4, 16], *POLYGON, "bbox"), "bbox-type"),
    Broken("bbox of strings", put(["4", "4", "16", "16"], *POLYGON, "bbox"), "bbox-type"),
    Broken("bbox with a bool", put([4, 4, True, 16], *POLYGON, "bbox"), "bbox-type"),
    Broken("bbox with NaN", put([NAN, 4, 16, 16], *POLYGON, "bbox"), "bbox-nan", {"json-nan"}),
    Broken("bbox beyond floats", put([4, 4, 10**400, 16], *POLYGON, "bbox"), "bbox-nan", {"json-strict"}),
    Broken("bbox negative", put([20, 20, -16, -16], *POLYGON, "bbox"), "bbox-empty"),
    Broken("bbox flat", put([4, 4, 16, 0], *POLYGON, "bbox"), "bbox-empty"),
    Broken("bbox thin", put([4, 4, 0.5, 16], *POLYGON, "bbox"), "bbox-tiny", {"bbox-mismatch"}),
    Broken("bbox left of the image", put([-50, 4, 16, 16], *POLYGON, "bbox"), "bbox-off-image", {"bbox-disjoint"}),
    Broken("bbox across the border", put([30, 4, 16, 16], *POLYGON, "bbox"), "bbox-outside", {"bbox-disjoint"}),
    Broken("bbox elsewhere", put([24, 4, 16, 16], *POLYGON, "bbox"), "bbox-disjoint"),
    Broken("bbox shifted", put([9, 4, 16, 16], *POLYGON, "bbox"), "bbox-mismatch"),
    Broken("bbox of corners", put([4, 4, 20, 20], *POLYGON, "bbox"), "bbox-mismatch"),
    # areas
    Broken("area absent", cut(*POLYGON, "area"), "area-missing"),
    Broken("area null", put(None, *POLYGON, "area"), "area-type"),
    Broken("area a string", put("256", *POLYGON, "area"), "area-type"),
    Broken("area a bool", put(True, *POLYGON, "area"), "area-type"),
    Broken("area NaN", put(NAN, *POLYGON, "area"), "area-nan", {"json-nan"}),
    Broken("area zero", put(0, *POLYGON, "area"), "area-not-positive"),
    Broken("area negative", put(-256, *POLYGON, "area"), "area-not-positive"),
    Broken("area doubled", put(512, *POLYGON, "area"), "area-mismatch"),
    Broken("area of the box", put(520, "annotations", 1, "area"), "area-mismatch"),
    Broken("area of a crowd", put(600, *CROWD, "area"), "crowd-area-mismatch"),
    # crowds
    Broken("iscrowd absent", cut(*POLYGON, "iscrowd"), "iscrowd-missing"),
    Broken("iscrowd 2", put(2, *POLYGON, "iscrowd"), "iscrowd-value"),
    Broken("iscrowd null", put(None, *POLYGON, "iscrowd"), "iscrowd-value"),
    Broken("iscrowd a string", put("0", *POLYGON, "iscrowd"), "iscrowd-value"),
    Broken("iscrowd a bool", put(False, *POLYGON, "iscrowd"), "iscrowd-type"),
    Broken("ignored object", put(1, *POLYGON, "ignore"), "ignore-set"),
    Broken("crowd of polygons", put(1, *POLYGON, "iscrowd"), "crowd-polygon"),
    # repetitions
    Broken("object twice", grow({"id": 15}, *POLYGON), "annotation-duplicate"),
    Broken("object of two classes", grow({"id": 15, "category_id": 3}, *POLYGON), "class-conflict"),
    # images
    Broken("height zero", put(0, "images", 0, "height"), "image-size"),
    Broken("width negative", put(-40, "images", 0, "width"), "image-size"),
    Broken("height a float", put(30.0, "images", 0, "height"), "image-size"),
    Broken("height a string", put("30", "images", 0, "height"), "image-size"),
    Broken("height absent", cut("images", 0, "height"), "key-missing"),
    Broken("size beyond 2^32", put(2**31, "images", 0, "height"), "image-size-huge"),
    Broken("file_name absent", cut("images", 0, "file_name"), "key-missing"),
    Broken("file_name a number", put(7, "images", 0, "file_name"), "type-wrong"),
    Broken("file_name empty", put("", "images", 0, "file_name"), "type-wrong"),
    Broken("file_name twice", put("sub/b.jpg", "images", 0, "file_name"), "file-name-duplicate"),
    Broken("file_name absolute", put("/data/a.png", "images", 0, "file_name"), "file-name-absolute"),
    Broken("file_name of Windows", put("C:\\data\\a.png", "images", 0, "file_name"), "file-name-absolute"),
    Broken("file_name with backslash", put("sub\\a.png", "images", 0, "file_name"), "file-name-backslash"),
    Broken("image without annotations", grow({"id": 3, "file_name": "c.png"}, "images", 0), "image-unannotated"),
    # categories
    Broken("category name absent", cut("categories", 0, "name"), "key-missing"),
    Broken("category name null", put(None, "categories", 0, "name"), "type-wrong"),
    Broken("category name twice", put("cell", "categories", 0, "name"), "category-name-duplicate"),
    Broken("category name in capitals", put("Cell", "categories", 0, "name"), "category-name-similar"),
    Broken("category name with a space", put("cat ", "categories", 0, "name"), "category-name-space"),
    Broken("category unused", grow({"id": 4, "name": "dog"}, "categories", 0), "category-unused"),
    Broken("supercategory absent", cut("categories", 0, "supercategory"), "supercategory-missing"),
    Broken("supercategory a number", put(7, "categories", 0, "supercategory"), "type-wrong"),
]


def serious(findings):
    return {finding.code for finding in findings if finding.severity != "info"}


def test_a_valid_document_has_no_findings(document, save):
    assert check_coco(save(document)) == []


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_a_fault_gives_its_code_and_no_other(broken, document, save):
    broken.mutate(document)
    findings = check_coco(save(document))
    codes = {finding.code for finding in findings}
    assert broken.code in codes
    assert broken.also <= codes
    assert serious(findings) <= {broken.code} | broken.also
    assert exit_code(findings) == int(bool(serious(findings)))


def test_the_table_has_every_code_that_a_document_can_give():
    elsewhere = {code for code in CODES if code.startswith(("json", "file-un", "not-coco", "images-folder"))}
    elsewhere |= {f"image-{part}" for part in ("missing", "case", "unreadable", "truncated")}
    elsewhere |= {f"image-{part}" for part in ("size-differs", "rotated", "extra")}
    assert set(CODES) - elsewhere == {broken.code for broken in BROKEN}


def test_a_finding_names_file_place_and_ids(document, save):
    put([[4, 4, 20, 20]], *POLYGON, "segmentation")(document)
    path = save(document)
    assert check_coco(path) == [
        Finding(
            "polygon-short",
            "polygon 0: expected 6 numbers or more, got 4 (taken for a box)",
            str(path),
            "annotations[0]",
            image=1,
            annotation=11,
        )
    ]


@pytest.mark.parametrize(
    ("bbox", "area"),
    [
        ([4, 4, 15, 15], 256),  # without the last pixel
        ([3, 3, 18, 18], 225),  # rounded outwards; area inside the outline through pixel centres
        ([4.4, 3.6, 16.2, 16.2], 289),
    ],
)
def test_conventions_in_use_are_no_mismatch(bbox, area, document, save):
    document["annotations"][0].update(bbox=bbox, area=area)
    assert check_coco(save(document)) == []


def assert_readable(path):
    file = read_coco(path)
    for image_id in file.images:
        for mask in file.instances(image_id).masks or ():
            assert mask.area


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_what_has_no_errors_can_be_read(broken, document, save):
    broken.mutate(document)
    path = save(document)
    if all(finding.severity != "error" for finding in check_coco(path)):
        assert_readable(path)


@pytest.mark.parametrize("split", ["train2017", "val2017"])
def test_real_coco_has_no_errors_and_no_warnings(split, coco_tiny_dir):
    folder = coco_tiny_dir / "annotations"
    findings = check_coco(folder / f"instances_{split}.json", coco_tiny_dir / split)
    assert serious(findings) == set()


def test_hints_name_the_likely_cause(document, save):
    put([4, 4, 20, 20], *POLYGON, "bbox")(document)
    put(520.0, "annotations", 1, "area")(document)
    rle([40, 30], [300, 30, 30, 30, 810])(document)
    messages = {finding.code: finding.message for finding in check_coco(save(document))}
    assert messages["bbox-mismatch"].endswith("; it is written as corners x0, y0, x1, y1")
    assert messages["area-mismatch"].endswith("; it is width x height of the bbox")
    assert messages["rle-size"].endswith("; height and width are swapped")


def test_of_many_copies_each_is_reported_once(document, save):
    drop_masks(document)
    first = document["annotations"][0]
    document["annotations"] += [{**first, "id": 100 + i} for i in range(3000)]
    findings = check_coco(save(document))
    assert sum(finding.code == "annotation-duplicate" for finding in findings) == 3000


def test_progress_sees_every_long_list(document, save, tmp_path):
    seen = []

    def progress(entries, what):
        seen.append((what, len(entries)))
        return entries

    check_coco(save(document), tmp_path, progress=progress)
    assert seen == [("annotations", 4), ("image files", 2)]


NUMBERS = st.one_of(
    st.integers(-3, 60),
    st.floats(),
    st.sampled_from([2**31, 2**32, 2**53 + 1, 2**64, 10**400, -(10**400), 1e308, 5e-324]),
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=8), st.sampled_from(["\ud800", "\0", "o" * 90]))
KEYS = st.sampled_from(
    [
        "id",
        "image_id",
        "category_id",
        "images",
        "annotations",
        "categories",
        "segmentation",
        "size",
        "counts",
        "bbox",
        "area",
        "iscrowd",
        "file_name",
        "height",
        "width",
        "name",
        "supercategory",
    ]
)
VALUES = st.recursive(
    LEAVES | st.lists(NUMBERS, max_size=9),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=7),
    max_leaves=25,
)


def paths(value, path=()):
    if path:
        yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield from paths(entry, (*path, key))


def assert_reported(path, images):
    findings = check_coco(path, images)
    report = json.loads(json_report(findings, str(path)))
    assert len(report["findings"]) == len(findings)
    assert text_report(findings, str(path)).isascii()
    assert exit_code(findings) in (0, 1, 2)
    if not report["counts"]["error"]:
        assert_readable(path)


FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(value=VALUES | st.fixed_dictionaries(dict.fromkeys(("images", "annotations", "categories"), VALUES)))
def test_any_json_document_gives_a_report(value, save, tmp_path):
    assert_reported(save(value), tmp_path)


@FUZZ
@given(data=st.data())
def test_any_change_of_a_valid_document_gives_a_report(data, document, save, tmp_path):
    document = copy.deepcopy(document)
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from(list(paths(document))))
        if data.draw(st.booleans()):
            put(data.draw(VALUES), *path)(document)
        elif len(list(paths(document))) > 1:
            cut(*path)(document)
    assert_reported(save(document), tmp_path)


@FUZZ
@given(raw=st.binary(max_size=60))
def test_any_bytes_give_a_report(raw, save):
    assert_reported(save(raw), None)
