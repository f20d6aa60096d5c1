"""Draw ``label_noise.png``: two scenes with clean labels and with the three strengths of COCO-N.

Run it anywhere: ``python docs/images/label_noise.py`` makes the scenes, the noisy files and the picture beside itself.
"""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from noisyseg.integration.recipes import load_recipe
from noisyseg.labels.coco import read_coco
from noisyseg.labels.files import atomic_path
from noisyseg.noise import generate_noise
from noisyseg.noise.browse.drawing import Picture, Shape, draw_shapes, fit
from noisyseg.noise.browse.layout import page, tile
from noisyseg.noise.browse.pictures import read_picture
from noisyseg.scenes import PALETTE, write_scenes

LEVELS = ("easy", "medium", "hard")
IMAGES = (11, 37)
SIDE = 300
COLOURS = 255


def panel(labels: Path, image_id: int, images: Path) -> Picture:
    """Return an image with its labels, the name of each object's class beside it."""
    coco = read_coco(labels)
    instances = coco.instances(image_id)
    picture, scale = fit(read_picture(images, coco.images[image_id]), SIDE)
    names = instances.categories.names
    shapes = [
        Shape(mask, PALETTE[class_ + 1], names[class_])
        for mask, class_ in zip(instances.masks, instances.classes.tolist(), strict=True)
    ]
    return draw_shapes(picture, shapes, scale, fill=0.3)


def main() -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as scratch:
        scenes = write_scenes(Path(scratch) / "scenes", train=max(IMAGES), val=1)
        clean = scenes / "annotations" / "instances_train.json"
        files = {"clean": clean}
        for level in LEVELS:
            files[level] = Path(scratch) / f"{level}.json"
            generate_noise(load_recipe(f"coco_n_{level}"), clean, files[level], seed=0)
        tiles = []
        for image_id in IMAGES:
            panels = [(level, panel(path, image_id, scenes / "images" / "train")) for level, path in files.items()]
            tiles.append(tile([], panels, SIDE))
    drawn = page("Clean labels, and the same labels with COCO-N noise", tiles, 1, SIDE)
    # A palette makes the file a third as large.
    reduced = Image.fromarray(np.ascontiguousarray(drawn)).quantize(COLOURS)
    with atomic_path(Path(__file__).with_suffix(".png")) as partial:
        reduced.save(partial, format="PNG", optimize=True)


if __name__ == "__main__":
    main()
