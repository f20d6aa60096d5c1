import pytest

from noisyseg.labels import class_names


def test_the_classes_are_those_of_mmseg():
    datasets = pytest.importorskip("mmseg.datasets")

    def of(name):
        return tuple(class_.strip() for class_ in getattr(datasets, name).METAINFO["classes"])

    assert of("ADE20KDataset") == class_names.ADE20K
    assert of("CityscapesDataset") == class_names.CITYSCAPES


def test_label_ids_of_cityscapes_are_in_the_order_of_train_ids():
    ids = list(class_names.CITYSCAPES_IDS.values())
    assert ids == sorted(set(ids))
    assert (ids[0], ids[-1], len(ids)) == (7, class_names.CITYSCAPES_LARGEST_ID, 19)


def test_camvid_has_the_classes_of_its_config(repository):
    from mmengine.config import Config

    config = Config.fromfile(repository / "configs" / "_base_" / "datasets" / "camvid_semantic.py")
    assert tuple(config.classes) == class_names.CAMVID
