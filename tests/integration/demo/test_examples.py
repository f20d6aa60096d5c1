import pytest

from noisyseg.integration.demo.data import make_data
from noisyseg.integration.demo.examples import KINDS, SMALLEST, find_examples, find_images


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("demo") / "scenes", seed=0, train=40, val=1)


def test_every_kind_has_an_example_that_shows_it_alone(data):
    examples = find_examples(data)
    assert [example.kind for example in examples] == list(KINDS)
    for example in examples:
        clean, noisy = data.pair(example.image_id)
        place = clean.source.tolist().index(example.annotation_id)
        assert clean.masks[place].area >= SMALLEST
        same_class = clean.classes[place] == noisy.classes[place]
        iou = clean.masks[place].iou(noisy.masks[place])
        if example.kind.op == "ClassConfusion":
            assert (same_class, iou) == (False, 1.0)
        else:
            assert same_class
            assert iou < 1


def test_images_with_the_most_objects_in_the_order_of_the_file(data):
    counts = {image_id: len(places) for image_id, places in data.clean.positions.items()}
    shown = find_images(data, 3, among=10)
    assert shown == sorted(shown)
    assert len(shown) == 3
    first = list(counts)[:10]
    assert set(shown) <= set(first)
    assert min(counts[i] for i in shown) >= max(counts[i] for i in first if i not in shown)


def test_noisy_maps_stand_beside_the_clean_ones(data):
    for image_id in data.clean.images:
        clean, noisy = data.maps(image_id)
        assert clean.is_file()
        assert noisy.is_file()
        assert data.image(image_id).is_file()
