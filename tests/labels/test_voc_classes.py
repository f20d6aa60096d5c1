from noisyseg.labels.voc_classes import VOC_CLASSES, VOC_GROUP_OF


def test_the_numbers_are_those_of_voc():
    assert len(VOC_CLASSES) == 20
    numbers = {name: number for number, name in enumerate(VOC_CLASSES, start=1)}
    assert (numbers["aeroplane"], numbers["diningtable"], numbers["person"], numbers["tvmonitor"]) == (1, 11, 15, 20)
    assert (numbers["motorbike"], numbers["pottedplant"], numbers["train"]) == (14, 16, 19)
    assert VOC_GROUP_OF["sofa"] == "indoor"
