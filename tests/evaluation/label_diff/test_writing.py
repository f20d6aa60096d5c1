"""The page and tables: everything is in them, and colours say what they should."""

import base64
import csv
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from noisyseg.evaluation.label_diff import ImageFiles, MapViews, compare_maps, summary, write_difference
from noisyseg.evaluation.label_diff.panels import FATE_COLOURS, draw_changes, draw_labels
from noisyseg.evaluation.label_diff.pixels import FATES
from noisyseg.labels import LabelError
from noisyseg.labels.store import LabelStore
from noisyseg.labels.versions import GivenMaps, VersionMaps

NAMES = ["background", "a <b>", "c"]


@pytest.fixture
def case(tmp_path):
    """Three images of which version 1 changes two, by an eighth and by a half; the clean labels are the new ones."""
    store = LabelStore(tmp_path / "store")
    version = store.begin()
    for name, rows in (("one", 1), ("two", 4), ("same", 0)):
        pixels = np.zeros((8, 8), np.uint8)
        new = pixels.copy()
        new[:rows] = 2
        for folder, what in (("given", pixels), ("clean", new)):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(what).save(tmp_path / folder / f"{name}.png")
        (tmp_path / "images").mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), (200, 90, 30)).save(tmp_path / "images" / f"{name}_img.JPG")
        store.put(name, "labels", new, version)
    store.finish(version, parent=0)
    given = GivenMaps(tmp_path / "given", classes=NAMES)
    return tmp_path, [VersionMaps(store, number, given) for number in (0, version)]


def write(case, out, *, clean=False, **settings):
    root, versions = case
    clean = GivenMaps(root / "clean", classes=NAMES) if clean else None
    document = compare_maps(*versions, clean)
    write_difference(document, MapViews(*versions, clean), root / out, **settings)
    return document, (root / out / "index.html").read_text(encoding="utf-8")


def pictures(page):
    return [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))
        for text in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    ]


def test_the_folder_holds_json_tables_and_a_page(case):
    document, page = write(case, "out", clean=True, images=ImageFiles(case[0] / "images", "_img"))
    folder = case[0] / "out"
    assert sorted(path.name for path in folder.iterdir()) == [
        "classes.csv",
        "images.csv",
        "index.html",
        "label_diff.json",
        "moves.csv",
    ]
    assert json.loads((folder / "label_diff.json").read_text()) == document
    for name, key in (("classes", "by_class"), ("moves", "moves"), ("images", "images")):
        rows = list(csv.DictReader((folder / f"{name}.csv").open()))
        assert [list(row.values()) for row in rows] == [
            ["" if value is None else str(value) for value in row.values()] for row in document[key]
        ]
    assert page.index("<b>two</b>") < page.index("<b>one</b>")
    assert "<b>same</b>" not in page
    assert "a <b>" not in page


def test_right_pixels_are_green_and_new_classes_have_their_colour(case):
    _, page = write(case, "out", clean=True)
    given, new, changed = pictures(page)[:3]
    green = FATE_COLOURS["right"]
    assert np.abs(changed[20, 200].astype(int) - green).max() < 12
    assert np.ptp(changed[350, 200].astype(int)) < 8  # grey
    assert np.ptp(given[20, 200].astype(int)) < 8
    assert np.ptp(new[20, 200].astype(int)) > 30
    _, page = write(case, "plain")
    assert np.abs(pictures(page)[2][20, 200].astype(int) - green).max() > 30


def test_no_change_makes_a_page_without_pictures(case):
    root, (old, _) = case
    document = compare_maps(old, old)
    write_difference(document, MapViews(old, old, None), root / "out")
    assert pictures((root / "out" / "index.html").read_text()) == []
    assert (root / "out" / "images.csv").read_text() == ""
    assert "images changed" in summary(document)


def test_as_many_images_as_asked_for(case):
    assert len(pictures(write(case, "out", count=1)[1])) == 3


def test_an_image_that_is_missing_or_of_another_size_is_named_and_nothing_is_written(case):
    with pytest.raises(LabelError, match=r"images/two: expected an image of one of the types \.png, .*, got none"):
        write(case, "out", images=ImageFiles(case[0] / "images"))
    Image.new("RGB", (8, 9)).save(case[0] / "images" / "two.png")
    with pytest.raises(LabelError, match=r"two\.png: expected the size of its labels, \(8, 8\), got \(9, 8\)"):
        write(case, "out", images=ImageFiles(case[0] / "images"))
    with pytest.raises(LabelError, match="nowhere: expected a folder of images, got none"):
        ImageFiles("nowhere")
    assert not (case[0] / "out").exists()


def test_each_fate_has_its_colour():
    old, fates = np.zeros((1, 5), np.uint8), np.arange(5, dtype=np.uint8)[None]
    picture = np.zeros((1, 5, 3), np.uint8)
    drawn = draw_changes(picture, old, fates, fates, lambda k: None, 5, with_clean=True)
    assert [tuple(pixel) for pixel in drawn[0, 1:]] == [FATE_COLOURS[name] for name in FATES]


def test_large_pictures_shrink_and_ignored_pixels_are_light():
    labels = np.full((40, 80), 255, np.uint8)
    drawn = draw_labels(np.zeros((40, 80, 3), np.uint8), labels, lambda k: (0, 0, 0), 20)
    assert drawn.shape == (10, 20, 3)
    assert drawn.min() > 120


def test_the_text_has_totals_classes_moves_and_images(case):
    text = summary(compare_maps(*case[1], GivenMaps(case[0] / "clean", classes=NAMES)))
    assert re.search(r"images changed +2 of 3", text)
    assert re.search(r"right +40 \(100\.00 %\)", text)
    assert re.search(r"agreement with clean labels +79\.17 % -> 100\.00 %", text)
    assert re.search(r"background +c +40 +40", text)
    assert re.search(r"two +32 +50\.00 % +32", text)


def test_thin_changes_are_seen_in_a_smaller_picture():
    old, fates = np.zeros((80, 80), np.uint8), np.zeros((80, 80), np.uint8)
    fates[:, 40] = FATES["wrong"]
    picture = np.full((80, 80, 3), 100, np.uint8)
    drawn = draw_changes(picture, old, old, fates, lambda k: None, 20, with_clean=True)
    red, green, _ = drawn[10, 10].astype(int)
    assert red - green > 100
    assert np.ptp(drawn[10, 5]) == 0
