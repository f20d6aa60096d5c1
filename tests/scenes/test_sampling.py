import colorsys

import numpy as np
import pytest

from noisyseg.labels.rng import keyed_rng
from noisyseg.scenes import CLASSES, sample_scene


def test_a_scene_follows_from_its_generator():
    assert sample_scene(keyed_rng(3, "a")) == sample_scene(keyed_rng(3, "a"))
    assert sample_scene(keyed_rng(3, "a")) != sample_scene(keyed_rng(3, "b"))


def test_scenes_hold_7_to_12_objects(scenes):
    assert {len(scene.objects) for scene in scenes} == set(range(7, 13))


@pytest.mark.parametrize("size_hw", [(32, 32), (64, 200), (300, 96)])
def test_frames_of_any_shape(size_hw):
    scene = sample_scene(keyed_rng(0), size_hw)
    assert scene.size_hw == size_hw
    for thing in scene.objects:
        assert 0 <= thing.centre[0] <= size_hw[1]
        assert 0 <= thing.centre[1] <= size_hw[0]
        assert 4.5 <= thing.radius <= max(0.42 * min(size_hw), 1.5 * 4.5)


def test_a_frame_too_small_is_refused():
    with pytest.raises(ValueError, match="size_hw: expected rows and columns >= 32"):
        sample_scene(keyed_rng(0), (31, 64))


def test_colour_alone_does_not_tell_the_class(scenes):
    things = [thing for scene in scenes for thing in scene.objects]
    hues = np.array([colorsys.rgb_to_hsv(*thing.texture.colours[0])[0] for thing in things])
    classes = np.array([CLASSES.index(thing.name) for thing in things])
    counts = np.zeros((24, len(CLASSES)))
    np.add.at(counts, (np.minimum((hues * 24).astype(int), 23), classes), 1)
    best = counts.max(1).sum() / counts.sum()  # of any rule that maps hues to classes
    assert 0.5 < best < 0.85


def test_small_objects_tend_to_be_in_front(scenes):
    places = [
        np.corrcoef([thing.radius for thing in scene.objects], np.arange(len(scene.objects)))[0, 1] for scene in scenes
    ]
    assert np.mean(places) < -0.3
