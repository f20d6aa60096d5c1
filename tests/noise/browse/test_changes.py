import pytest

from noisyseg.labels import LabelError
from noisyseg.labels.coco import read_coco
from noisyseg.noise.browse import Comparison, ImageChange, ObjectChange, compare_files


def comparison(paths):
    return Comparison(*(read_coco(path) for path in paths))


def changes(paths):
    return compare_files(comparison(paths))


def test_a_file_does_not_differ_from_itself(files):
    clean, _ = files()
    for change in changes((clean, clean)):
        assert (change.amount, change.mean_iou, change.changed, change.classes_changed) == (0, 1, 0, 0)


def test_each_change_is_measured(files):
    one, two, three = changes(files())
    assert one.amount == 0
    assert two.objects == (ObjectChange(2, 0, 0, 1.0), ObjectChange(3, 1, 0, 1.0))
    assert (two.amount, two.mean_iou, two.changed, two.classes_changed) == (0.5, 1, 1, 1)
    assert (three.amount, three.mean_iou) == (0.75, 0.25)


def test_objects_are_paired_by_id_and_not_by_place(files):
    first = changes(files())
    again = changes(files(lambda clean, noisy: noisy["annotations"].reverse()))
    assert first == again


def test_objects_that_one_file_lacks_are_there(files):
    def edit(_, noisy):
        noisy["annotations"][0]["id"] = 77

    change = changes(files(edit))[0]
    assert change.objects == (ObjectChange(1, 0, None, 0.0), ObjectChange(77, None, 0, 0.0))
    assert change.objects[0].is_missing
    assert change.objects[1].is_added
    assert (change.amount, change.mean_iou, change.changed, change.classes_changed) == (2, 0, 2, 0)


def test_an_object_that_moved_to_another_image_is_missing_there_and_added_here(files):
    def edit(_, noisy):
        noisy["annotations"][0]["image_id"] = 2

    one, two, _ = changes(files(edit))
    assert one.objects[0].is_missing
    assert two.objects[-1].is_added


def test_images_that_one_file_lacks_are_listed(files):
    def edit(_, noisy):
        noisy["images"][0]["id"] = 8
        noisy["annotations"][0]["image_id"] = 8

    compared = comparison(files(edit))
    assert (compared.image_ids, compared.only_clean, compared.only_noisy) == ([2, 3], [1], [8])


def test_ids_that_were_all_raised_by_one_are_paired(files):
    def edit(clean, noisy):
        for place, annotation in enumerate(noisy["annotations"]):
            annotation["id"] = place + 1
        for place, annotation in enumerate(clean["annotations"]):
            annotation["id"] = place

    compared = comparison(files(edit))
    assert compared.shift == 1
    assert [change.amount for change in compare_files(compared)] == [0, 0.5, 0.75]


def test_a_lost_annotation_0_is_no_shift(files):
    def edit(clean, noisy):
        for document in (clean, noisy):
            for place, annotation in enumerate(document["annotations"]):
                annotation["id"] = place
        del noisy["annotations"][0]

    compared = comparison(files(edit))
    assert compared.shift == 0
    assert compare_files(compared)[0].objects[0].is_missing


def test_boxes_stand_in_for_masks_where_there_are_none(files):
    def edit(clean, noisy):
        noisy["annotations"][3]["bbox"] = [2, 2, 8, 4]
        noisy["annotations"][0]["bbox"] = [2.2, 2, 0.1, 8]
        for annotation in (*clean["annotations"], *noisy["annotations"]):
            del annotation["segmentation"]

    one, _, three = changes(files(edit))
    assert three.objects[0].iou == 0.5
    assert one.objects[0].iou == 0  # thinner than half a pixel


def test_an_image_without_objects_did_not_change():
    change = ImageChange(1, ())
    assert (change.amount, change.mean_iou, change.changed) == (0, 1, 0)


def test_other_categories_are_refused(files):
    def edit(_, noisy):
        noisy["categories"][0]["name"] = "fox"

    with pytest.raises(LabelError, match=r"noisy\.json: categories: expected those of .*clean\.json.*'fox'"):
        comparison(files(edit))


def test_another_size_of_an_image_is_refused(files):
    def edit(_, noisy):
        noisy["images"][0] |= {"height": 40}
        noisy["annotations"] = noisy["annotations"][1:]

    with pytest.raises(LabelError, match=r"noisy\.json: image 1: height, width: expected \(20, 30\).*got \(40, 30\)"):
        changes(files(edit))
