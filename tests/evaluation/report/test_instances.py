import json

import pytest

from noisyseg.evaluation.report.instances import class_table, compare_coco, pair_images
from noisyseg.labels import LabelError
from noisyseg.labels.coco_text import CocoText


def compared(clean, noisy, pair="auto", manifest=None):
    return compare_coco(
        CocoText(clean), CocoText(noisy), manifest=manifest, known=False, pair=pair, workers=1, progress=False
    ).report


def codes(report):
    return {warning["code"] for warning in report["warnings"]}


def test_every_kind_of_mistake_is_counted(mistakes):
    report = compared(*mistakes)
    expected = {
        "images": 2,
        "clean_objects": 7,
        "noisy_objects": 8,
        "pairs": 6,
        "untouched": 1,
        "class_changed": 1,
        "box_changed": 2,
        "mask_changed": 3,
        "missing": 1,
        "bogus": 1,
        "pieces": 1,
        "crowd_pairs": 1,
        "crowds_changed": 1,
        "images_emptied": 0,
        "empty_masks": 0,
        "vanished_kept": 0,
    }
    assert {name: report["counts"][name] for name in expected} == expected
    assert report["unmatched"] == {"missing": [4], "bogus": [20], "pieces": [21]}
    assert report["confusion"]["counts"] == [[4, 1, 0], [0, 1, 1], [0, 1, 0]]
    assert report["boxes"]["stale"] == 1
    assert report["topology"]["holes"]["gained"] == 1
    assert report["worst"][0]["clean_id"] == 3
    assert [row["op"] for row in report["operations"]] == ["Bogus", "Split"]
    assert codes(report) == {"stale_boxes", "crowds_changed"}
    (dog,) = (row for row in report["classes"] if row["class"] == "dog")
    assert (dog["clean"], dog["missing"], dog["bogus"], dog["flipped_into"]) == (2, 1, 1, 1)
    assert sum(row["clean"] for row in report["sizes"]) == 7


def test_pairing_can_be_asked_for(mistakes):
    by_iou = compared(*mistakes, pair="iou")
    assert (by_iou["pairing"]["by"], by_iou["pairing"]["reason"]) == ("iou", "asked for")
    assert by_iou["counts"]["pairs"] == 6
    assert by_iou["unmatched"] == {"missing": [4], "bogus": [20], "pieces": [21]}


def test_the_hand_correction_of_real_labels_comes_out(shared_dir):
    folder = shared_dir / "data" / "dsb2018" / "annotations"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent")
    result = compare_coco(
        CocoText(folder / "instances_fixed.json"),
        CocoText(folder / "instances_original.json"),
        manifest=None,
        known=False,
        pair="auto",
        workers=1,
        progress=False,
    )
    report, pairs = result.report, result.tables.pairs
    assert report["pairing"]["by"] == "iou"
    assert (report["counts"]["missing"], report["counts"]["bogus"]) == (9, 7)
    both = pairs["both"]
    redrawn = both / (pairs["clean_area"] + pairs["noisy_area"] - both) < 0.999
    assert redrawn.sum() == 114
    images = {*pairs["image"][redrawn], *result.tables.missing["image"], *result.tables.added["image"]}
    assert len(images) == 45
    assert report["counts"]["mask_changed"] == 156  # further ones differ by single pixels


def test_classes_may_be_numbered_differently(write, mistakes):
    document = json.loads(mistakes[1].read_text())
    for entry in [*document["annotations"], *document["categories"]]:
        key = "category_id" if "category_id" in entry else "id"
        entry[key] = {3: 9, 7: 2}[entry[key]]
    other = mistakes[1].with_name("other.json")
    other.write_text(json.dumps(document))
    assert class_table(CocoText(mistakes[0]), CocoText(other)).tolist() == [1, 0]
    before, after = compared(*mistakes), compared(mistakes[0], other)
    assert before["confusion"] == after["confusion"]
    with pytest.raises(LabelError, match=r"expected those of .*clean\.json, \['cat', 'dog'\], got \['cow'\]"):
        class_table(CocoText(mistakes[0]), CocoText(write("c.json", [], categories=[{"id": 3, "name": "cow"}])))


def test_images_are_paired_by_name_where_ids_contradict(write, image):
    clean = CocoText(write("clean.json", [], images=[image(1), image(2)]))
    noisy = CocoText(write("noisy.json", [], images=[image(2) | {"id": 1}, image(7) | {"id": 2}]))
    pairs, rule = pair_images(clean, noisy)
    assert pairs == [(1, None), (2, 1), (None, 2)]
    assert "by file name" in rule
    unnamed = CocoText(write("unnamed.json", [], images=[{"id": 1, "height": 40, "width": 60}]))
    with pytest.raises(LabelError, match="other file names under the same ids"):
        pair_images(clean, unnamed)
    with pytest.raises(LabelError, match="got others only"):
        pair_images(clean, CocoText(write("others.json", [], images=[image(8)])))


def test_an_image_of_another_size_is_an_error(write, image):
    clean, noisy = write("clean.json", [], images=[image(1)]), write("noisy.json", [], images=[image(1, 61)])
    with pytest.raises(LabelError, match=r"noisy\.json: image 1: height, width: expected \(40, 60\).* got \(40, 61\)"):
        pair_images(CocoText(clean), CocoText(noisy))


def test_images_of_one_file_are_listed_and_their_objects_have_no_partner(write, image, annotation):
    clean = write("clean.json", [annotation(1, (2, 2, 9, 9), image=2)], images=[image(1), image(2)])
    noisy = write("noisy.json", [annotation(5, (2, 2, 9, 9), image=3)], images=[image(1), image(3)])
    report = compared(clean, noisy)
    assert report["pairing"]["images_only_clean"] == [2]
    assert report["pairing"]["images_only_noisy"] == [3]
    assert report["unmatched"] == {"missing": [1], "bogus": [5], "pieces": []}
    assert {"images_only_clean", "images_only_noisy", "images_emptied"} <= codes(report)


def test_warnings_about_ids_groups_and_empty_masks(write, annotation):
    bare = [{"id": 3, "name": "cat"}, {"id": 7, "name": "dog"}]
    clean = write("clean.json", [annotation(0, (2, 2, 9, 9))], categories=bare)
    empty = annotation(0, (2, 2, 9, 9), segmentation={"size": [40, 60], "counts": [2400]}) | {"bbox": [0, 0, 0, 0]}
    report = compared(clean, write("noisy.json", [empty], categories=bare))
    assert codes(report) >= {"id_zero", "no_supercategory", "empty_masks", "degenerate_boxes"}
    assert report["masks"]["all"]["iou"]["mean"] == 0
    assert report["areas"]["emptied"] == 1


def test_rates_come_from_the_manifest(mistakes):
    manifest = {"recipe": {"type": "noisyseg.Recipe", "noises": [{"type": "Scale", "size": 3}]}, "counts": {"Scale": 2}}
    report = compared(*mistakes, manifest=manifest)
    assert report["rates"][0]["passed"] is False
    assert "rate" in codes(report)
    assert compared(*mistakes)["rates"] == []


def test_files_without_objects(write):
    report = compared(write("clean.json", []), write("noisy.json", []))
    assert report["counts"]["pairs"] == 0
    assert report["masks"]["all"]["iou"]["mean"] is None
    assert report["confusion"]["flip_rate"] is None
