"""A small synthetic world with perfect labels: picture, objects, classes and edges from one description."""

from noisyseg.scenes.description import CATEGORIES, CLASSES, Light, Scene, SceneObject, Texture
from noisyseg.scenes.edges import class_edges
from noisyseg.scenes.palette import PALETTE
from noisyseg.scenes.rendering import Rendering, render
from noisyseg.scenes.sampling import sample_scene
from noisyseg.scenes.writing import write_scenes

__all__ = [
    "CATEGORIES",
    "CLASSES",
    "PALETTE",
    "Light",
    "Rendering",
    "Scene",
    "SceneObject",
    "Texture",
    "class_edges",
    "render",
    "sample_scene",
    "write_scenes",
]
