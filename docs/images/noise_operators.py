"""Draw ``noise_{masks,objects,maps,edges}.png``: every noise model on one photograph, clean labels first.

Run it anywhere: ``python docs/images/noise_operators.py`` writes the pictures beside itself. The photograph is
scikit-image's "coffee" (CC0, Rachel Michetti); its labels are drawn here.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from skimage import data

from noisyseg.labels import Categories, EdgeMap, Instances, Mask, SemanticMap
from noisyseg.labels.coco import coco_document, read_coco
from noisyseg.labels.files import atomic_path
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import build_noise
from noisyseg.noise.browse.drawing import Picture, Shape, draw_shapes, fit
from noisyseg.noise.browse.layout import page, tile
from noisyseg.noise.population import coco_population

FOLDER = Path(__file__).resolve().parent
SIDE = 300
COLUMNS = 4
COLOURS = 255
NAMES = ("saucer", "cup", "coffee", "spoon")
PALETTE = ((255, 176, 59), (94, 200, 255), (183, 121, 255), (140, 230, 120))
SEED = 0

MASKS = {
    "Scale(size=15)": {"size": 15},
    "Approximation(tolerance=15)": {"tolerance": 15},
    "Localization(sigma=6)": {"sigma": 6},
    "ResampledLocalization(sigma=6)": {"sigma": 6, "correlation": 12},
    "PolygonScale(delta=12)": {"delta": 12},
    "Shift(dx=12, dy=8)": {"dx": 12, "dy": 8},
    "Rotate(degrees=20)": {"degrees": 20},
    "Affine(shift=10, scale=(.85, 1.15), …)": {"degrees": 10, "shift": 10, "scale": (0.85, 1.15), "shear": 10},
    "Elastic(alpha=400, sigma=10)": {"alpha": 400, "sigma": 10},
    "MarkovBoundary(steps=60, theta1=.8)": {"steps": 60, "theta1": 0.8, "theta2": 0.2},
    "EuclideanScale(levels=(7, 9))": {"levels": (7, 9)},
    "RedrawnPolygons (COCO-N v2, high)": {"tolerance": (15, 10), "sigma": (4, 2), "size": (7, 4)},
    "PromptNoise(box), stub segmenter": {"type": "PromptNoise", "prompter": {"type": "noisyseg.StubPrompter"}},
}
OBJECTS = {
    "ClassConfusion(rate=.5)": {"rate": 0.5, "include_self": False},
    "GroupConfusion(rate=1)": {"rate": 1.0, "include_self": False},
    "PairConfusion(rate=1)": {"rate": 1.0, "pairs": {"cup": "coffee"}},
    "MatrixConfusion": {"matrix": [[0.2, 0.8, 0, 0], [0, 0.2, 0.8, 0], [0, 0, 0.2, 0.8], [0.8, 0, 0, 0.2]]},
    "Missing(rate=.5)": {"rate": 0.5},
    "Bogus(rate=.4)": {"rate": 0.4, "size": "copy", "max_iou": None, "spread": "proportional"},
    "Split(rate=.7)": {"rate": 0.7},
    "Merge(rate=1), coffee being a cup": {"rate": 1.0},
    "Exactly(ClassConfusion, rate=.5)": {
        "noise": {"type": "noisyseg.ClassConfusion", "rate": 1.0, "include_self": False},
        "rate": 0.5,
    },
    "CenterScaleJitter(level=.3)": {"level": 0.3},
    "CoordinateJitter(level=.3)": {"level": 0.3},
    "GaussianJitter(gamma=.1)": {"gamma": 0.1},
    "ResampledBox()": {},
    "Una(rate=.3)": {"rate": 0.3, "box_noise": {"type": "noisyseg.ResampledBox"}},
}
MAPS = {
    "ByRegion(Scale(size=15))": {"noise": {"type": "noisyseg.Scale", "size": 15}, "background": [0]},
    "BoundaryNoise(radius=10)": {"radius": 10, "background": [0]},
    "CoarsePolygons(delta=32)": {"delta": 32, "background": [0]},
    "ClickDisc(radius=30)": {"radius": 30, "background": [0], "fill": 0},
    "DropNoise": {"rate": 0.5, "background": [0]},
    "SwapNoise": {"rate": 0.5, "background": [0]},
    "ShiftNoise": {"rate": 1.0, "background": [0], "distance": (15, 30)},
    "MapConfusion(component)": {
        "noise": {"type": "noisyseg.ClassConfusion", "rate": 0.6, "include_self": False},
        "background": [0],
    },
    "MapConfusion(pixel)": {
        "noise": {"type": "noisyseg.ClassConfusion", "rate": 0.3, "include_self": False},
        "unit": "pixel",
    },
    "ElasticMap(alpha=400, sigma=10)": {"alpha": 400, "sigma": 10},
    "MarkovMap(steps=60)": {"steps": 60, "theta1": 0.7, "theta2": 0.2, "theta3": 0.0},
    "MedicalNoise": {},
    "SuperpixelNoise(n_segments=150)": {"n_segments": 150, "rate": 0.7},
}
EDGES = {
    "EdgeShift(rms=8)": {"rms": 8},
    "EdgeBias(offset=8)": {"offset": 8, "ground": 0},
    "EdgeCoarse(delta=16)": {"delta": 16, "ground": 0},
    "EdgeDrop(rate=.4)": {"rate": 0.4},
    "EdgeSpurious(rate=.5)": {"rate": 0.5},
    "EdgeDensityShift(rms=8)": {"rms": 8},
}


def photograph() -> Picture:
    """Return the photograph, (400, 600, 3) RGB."""
    return data.coffee()


def label_numbers(size_hw: tuple[int, int]) -> Picture:
    """Return the label map: 0 table, 1 saucer, 2 cup, 3 coffee, 4 spoon."""
    canvas = np.zeros(size_hw, np.uint8)
    cv2.ellipse(canvas, (279, 229), (203, 156), 14, 0, 360, 1, -1)
    cv2.ellipse(canvas, (366, 283), (39, 42), 25, 0, 360, 4, -1)
    handle = [(352, 246), (372, 210), (397, 120), (399, 70), (411, 66), (424, 74), (418, 100), (396, 190), (388, 250)]
    cv2.fillPoly(canvas, [np.array(handle)], 4)
    body = [(173, 105), (180, 165), (200, 215), (228, 230), (206, 252), (196, 278), (198, 300), (214, 307), (240, 302)]
    body += [(258, 282), (300, 284), (330, 272), (340, 240), (385, 190), (408, 120), (290, 60)]
    cv2.fillPoly(canvas, [np.array(body)], 2)
    cv2.ellipse(canvas, (290, 113), (118, 94), 6, 0, 360, 2, -1)
    coffee = [(205, 135), (222, 110), (268, 96), (315, 99), (350, 116), (369, 146), (369, 163), (340, 184), (300, 193)]
    cv2.fillPoly(canvas, [np.array([*coffee, (262, 189), (225, 168)])], 3)
    return canvas


def instances(numbers: Picture, image: Picture) -> Instances:
    """Return the four objects of the label map."""
    categories = Categories((1, 2, 3, 4), NAMES, ("ware", "ware", "drink", "ware"))
    masks = [Mask.from_frame(numbers == k) for k in range(1, 5)]
    return Instances.from_masks(masks, range(4), categories, numbers.shape).replace(image=image)


def named(caption: str, settings: dict) -> dict:
    """Return the config that a caption and settings stand for."""
    return {"type": caption.split("(")[0].split(" ")[0]} | settings


def noisy_instances(config: dict, labels: Instances) -> Instances:
    """Return the labels after the noise, planned over this one image where it has to be."""
    model = build_noise({"type": "noisyseg.Recipe", "noises": [config]})
    if model.plans:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "labels.json"
            image = {"id": 1, "file_name": "coffee.png", "height": labels.size_hw[0], "width": labels.size_hw[1]}
            path.write_text(json.dumps(coco_document([image], [labels], labels.categories)))
            population = coco_population(read_coco(path))
        model, _ = model.planned(population, lambda _: keyed_rng(SEED, 1))
    return model(labels, keyed_rng(SEED, 1))


def drawn_instances(labels: Instances, *, boxes: bool) -> Picture:
    """Return the photograph with objects, and their boxes where these are what the noise is about."""
    picture, scale = fit(labels.image, SIDE)
    shapes = [
        Shape(mask, PALETTE[class_], NAMES[class_] if boxes else "")
        for mask, class_ in zip(labels.masks, labels.classes.tolist(), strict=True)
    ]
    drawn = draw_shapes(picture, shapes, scale, fill=0.25).copy()
    if boxes:
        for box, class_ in zip(labels.boxes * scale, labels.classes.tolist(), strict=True):
            x0, y0, x1, y1 = np.rint(box).astype(int).tolist()
            cv2.rectangle(drawn, (x0, y0), (x1, y1), PALETTE[class_], 1, cv2.LINE_AA)
    return drawn


def drawn_map(labels: SemanticMap) -> Picture:
    """Return the photograph under the colours of the classes."""
    colours = np.zeros((256, 3), np.uint8)
    colours[1:5], colours[255] = PALETTE, (255, 255, 255)
    ground = (labels.classes == 0)[..., None]
    painted = np.where(ground, labels.image, colours[labels.classes])
    return fit(cv2.addWeighted(painted, 0.6, labels.image, 0.4, 0), SIDE)[0]


def drawn_edges(labels: EdgeMap) -> Picture:
    """Return the darkened photograph with bright edges."""
    picture = fit(labels.image // 2, SIDE)[0]
    thick = cv2.dilate(labels.edges[0].astype(np.uint8), np.ones((3, 3), np.uint8))
    seen = cv2.resize(thick, picture.shape[1::-1], interpolation=cv2.INTER_AREA) > 0
    return np.where(seen[..., None], np.uint8((255, 220, 90)), picture)


def thin_edges(numbers: Picture) -> Picture:
    """Return where a pixel differs from the one right of it or below it."""
    edges = np.zeros_like(numbers, bool)
    edges[:, :-1] |= numbers[:, 1:] != numbers[:, :-1]
    edges[:-1] |= numbers[1:] != numbers[:-1]
    return edges


def write(name: str, title: str, panels: list[tuple[str, Picture]]) -> None:
    """Write one page of panels as a palette PNG, which is a third as large."""
    drawn = page(title, [tile([], [panel], SIDE) for panel in panels], COLUMNS, SIDE)
    reduced = Image.fromarray(np.ascontiguousarray(drawn)).quantize(COLOURS)
    with atomic_path(FOLDER / f"noise_{name}.png") as partial:
        reduced.save(partial, format="PNG", optimize=True)


def main() -> None:
    """Write the four pictures."""
    image = photograph()
    numbers = label_numbers(image.shape[:2])
    objects = instances(numbers, image)
    for name, title, table, boxes in (
        ("masks", "Noise of masks", MASKS, False),
        ("objects", "Noise of classes, objects and boxes", OBJECTS, True),
    ):
        panels = [("clean", drawn_instances(objects, boxes=boxes))]
        for caption, settings in table.items():
            # Only neighbours of one class are merged, and no two of the four are of one.
            given = objects.replace(classes=np.array([0, 1, 1, 3])) if caption.startswith("Merge") else objects
            noisy = noisy_instances(named(caption, settings), given)
            panels.append((caption, drawn_instances(noisy, boxes=boxes)))
        write(name, title, panels)
    labels = SemanticMap(numbers, Categories.from_names(("table", *NAMES)), image)
    panels = [("clean", drawn_map(labels))]
    for caption, settings in MAPS.items():
        noisy = build_noise(named(caption, settings))(labels, keyed_rng(SEED, 1))
        panels.append((caption, drawn_map(noisy)))
    write("maps", "Noise of label maps", panels)
    edges = EdgeMap(thin_edges(numbers)[None], Categories.from_names(["edge"]), numbers, image)
    panels = [("clean", drawn_edges(edges))]
    for caption, settings in EDGES.items():
        panels.append((caption, drawn_edges(build_noise(named(caption, settings))(edges, keyed_rng(SEED, 1)))))
    write("edges", "Noise of edges", panels)


if __name__ == "__main__":
    main()
