import numpy as np
import orjson
import pytest
from PIL import Image

from noisyseg.labels import LabelError
from noisyseg.noise import Change, ObjectNoise
from noisyseg.noise.dataset import generate_noise
from noisyseg.noise.dataset.images import ImageFolder
from noisyseg.noise.dataset.manifest import is_costly
from noisyseg.registry import TASK_UTILS

RECIPE = {"type": "noisyseg.Recipe", "noises": [{"type": "noisyseg.RedOnes"}]}


class RedOnes(ObjectNoise):
    """Gives class 0 to the objects of red images, class 1 to the others."""

    needs_image = costly = True

    def draw(self, labels, i, streams):
        return {"class": int(labels.image[0, 0, 0] < 128)}

    def changes(self, labels, draws):
        return {i: Change(class_=drawn["class"]) for i, drawn in draws.items()}


@pytest.fixture(autouse=True)
def models():
    TASK_UTILS.register_module(module=RedOnes)
    yield
    TASK_UTILS.module_dict.pop("RedOnes")


@pytest.fixture
def folder(tmp_path):
    """Returns a folder with a red image 1 and a green image 2 of the size that the documents state."""
    for name, colour in (("1", (250, 0, 0)), ("2", (0, 250, 0))):
        path = tmp_path / "images" / "train2017" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), colour).save(path)
    return tmp_path / "images"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("lvis", [False, True])
def test_objects_get_their_images(folder, tmp_path, coco_document, lvis, workers):
    document = coco_document(images=2)
    for image in document["images"]:
        if lvis:
            image["coco_url"] = f"http://images/train2017/{image.pop('file_name')}"
    source = tmp_path / "train.json"
    source.write_bytes(orjson.dumps(document))
    images = folder if lvis else folder / "train2017"
    generate_noise(RECIPE, source, tmp_path / "out.json", seed=0, images=images, workers=workers)
    noisy = orjson.loads((tmp_path / "out.json").read_bytes())
    assert [annotation["category_id"] for annotation in noisy["annotations"]] == [3, 3, 7, 7]


def test_the_last_part_of_a_url_will_do(folder):
    image = {"id": 1, "coco_url": "http://images/train2017/1.png", "height": 30, "width": 40}
    pixels = ImageFolder(folder / "train2017").of_coco(image)
    assert (pixels.shape, pixels.dtype, pixels[0, 0].tolist()) == ((30, 40, 3), np.uint8, [250, 0, 0])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"file_name": "9.png"}, r"image 1: expected its image at .*train2017/9\.png, but there is no such file"),
        ({"file_name": None}, "image 1: expected a file_name or a coco_url, to find the image"),
        ({"height": 31}, r"image 1: the image .*1\.png: expected 31 x 40 pixels .* got 30 x 40"),
    ],
)
def test_an_image_that_does_not_fit_is_named(folder, tmp_path, coco_document, change, problem):
    document = coco_document(images=1)
    document["images"][0] |= change
    source = tmp_path / "train.json"
    source.write_bytes(orjson.dumps(document))
    with pytest.raises(LabelError, match=rf"train\.json: {problem}"):
        generate_noise(RECIPE, source, tmp_path / "out.json", seed=0, images=folder / "train2017")
    assert not (tmp_path / "out.json").exists()


def test_images_are_asked_for(tmp_path, coco_document):
    source = tmp_path / "train.json"
    source.write_bytes(orjson.dumps(coco_document()))
    with pytest.raises(ValueError, match="images: expected the folder of the images, because Recipe looks at them"):
        generate_noise(RECIPE, source, tmp_path / "out.json", seed=0)


def test_a_model_is_as_costly_as_what_is_inside_it():
    from noisyseg.noise import build_noise

    cheap = {"type": "noisyseg.Recipe", "noises": [{"type": "noisyseg.Scale", "size": 3}]}
    inner = {"type": "noisyseg.OneOf", "noises": [{"type": "noisyseg.RedOnes"}], "probs": [1]}
    assert is_costly(build_noise(RECIPE))
    assert is_costly(build_noise({"type": "noisyseg.Recipe", "noises": [inner]}))
    assert is_costly(build_noise({"type": "noisyseg.ByRegion", "noise": RECIPE}))
    assert not is_costly(build_noise(cheap))
    assert not is_costly(build_noise({"type": "noisyseg.ByRegion", "noise": cheap}))
