import pytest
from mmengine.logging import MMLogger

from noisyseg.labels import LabelError
from noisyseg.registry import DATASETS

pytest.importorskip("mmdet")


def build(file, **settings):
    return DATASETS.build(
        {"type": "noisyseg.CocoDataset", "ann_file": str(file), "data_prefix": {"img": str(file.parent)}} | settings
    )


def test_objects_carry_the_ids_of_their_annotations(write_coco, coco_document):
    dataset = build(write_coco(coco_document))
    found = {dataset[i]["img_id"]: [obj["ann_id"] for obj in dataset[i]["instances"]] for i in range(2)}
    assert found == {7: [11, 12, 13], 3: [14, 15]}


def test_objects_are_otherwise_those_of_mmdet(write_coco, coco_document):
    from mmdet.datasets import CocoDataset

    file = write_coco(coco_document)
    names = ("nine", "two", "five")
    theirs = CocoDataset(ann_file=str(file), data_prefix={"img": str(file.parent)}, metainfo={"classes": names})
    ours = build(file)
    for i in range(2):
        mine = ours.get_data_info(i)
        assert {"categories", "category_ids", "with_masks"} <= set(mine)
        del mine["categories"], mine["category_ids"], mine["with_masks"]
        for instance in mine["instances"]:
            del instance["ann_id"]
        assert mine == theirs.get_data_info(i)


def test_classes_come_from_the_file_in_its_order(write_coco, coco_document):
    dataset = build(write_coco(coco_document))
    assert dataset.metainfo["classes"] == ("nine", "two", "five")
    assert dataset[0]["category_ids"] == [9, 2, 5]
    assert dataset[0]["categories"].ids == (2, 5, 9)


@pytest.mark.parametrize("classes", [("two", "nine"), ("nine", "Two"), ("nine", "two", "five", "six")])
def test_classes_that_mmdet_would_confuse_are_an_error(write_coco, coco_document, classes):
    with pytest.raises(LabelError, match="names of the file in its order"):
        build(write_coco(coco_document), metainfo={"classes": classes})


def test_a_part_of_the_classes_is_a_part_of_the_objects(write_coco, coco_document):
    dataset = build(write_coco(coco_document), metainfo={"classes": ("nine", "five")})
    labels = [(obj["ann_id"], obj["bbox_label"]) for i in range(2) for obj in dataset[i]["instances"]]
    assert labels == [(11, 1), (13, 0), (14, 0), (15, 1)]


def test_what_mmdet_leaves_out_is_said(write_coco, coco_document, caplog):
    MMLogger.get_instance("said").addHandler(caplog.handler)
    build(write_coco(coco_document))
    assert "leaves out 1 annotations" in caplog.text
    assert "ids 16" in caplog.text


def test_nothing_is_said_where_nothing_is_left_out(write_coco, coco_document, caplog):
    coco_document["annotations"].pop()
    MMLogger.get_instance("said").addHandler(caplog.handler)
    build(write_coco(coco_document))
    assert "leaves out" not in caplog.text


@pytest.mark.parametrize(
    "segmentation", [[], [[1, 2, 3]], [[1, 2, float("nan"), 4, 5, 6]], {"size": [1, 1], "counts": "1"}]
)
def test_a_mask_that_would_crash_a_worker_is_an_error_at_the_start(write_coco, coco_document, segmentation):
    coco_document["annotations"][1]["segmentation"] = segmentation
    file = write_coco(coco_document)
    with pytest.raises(LabelError, match=f"{file}: annotation 12"):
        build(file)


def test_encoded_masks_with_poly2mask_off_are_an_error(write_coco, coco_document):
    load = {"type": "mmdet.LoadAnnotations", "with_mask": True, "poly2mask": False}
    file = write_coco(coco_document)
    assert len(build(file, pipeline=[load])) == 2, "polygons, and a crowd that is ignored anyway"
    coco_document["annotations"][1]["segmentation"] = {"size": [48, 64], "counts": [480, 48, 48 * 64 - 528]}
    with pytest.raises(LabelError, match=r"poly2mask=False.*annotation 12"):
        build(write_coco(coco_document), pipeline=[load])


def test_noise_with_poly2mask_off_is_an_error(write_coco, coco_document):
    load = {"type": "mmdet.LoadAnnotations", "with_mask": True, "poly2mask": False}
    noise = {"type": "noisyseg.Recipe", "noises": []}
    with pytest.raises(LabelError, match="InjectNoise makes"):
        build(write_coco(coco_document), pipeline=[{"type": "noisyseg.InjectNoise", "noise": noise}, load])
