import pickle

import numpy as np
import pytest

from noisyseg.labels import Mask
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import build_noise
from noisyseg.noise.build import NoiseConfigError
from noisyseg.noise.prompts import Answer, PromptNoise

SHAPES = {"type": "noisyseg.StubPrompter"}
COLOURS = {"type": "noisyseg.StubPrompter", "by": "colour"}


class Recorder:
    """Answers with full frames of given sizes and scores, and writes down what it was asked."""

    needs_image = False

    def __init__(self, heights=(10, 30, 20), scores=(0.2, 0.1, 0.9)):
        self.heights, self.scores, self.asked = heights, scores, []

    def answers(self, image, size_hw, prompts, *, multimask):
        self.asked.append((prompts, multimask))
        for _ in range(len(prompts)):
            frames = np.zeros((len(self.heights), *size_hw), np.uint8)
            for frame, height in zip(frames, self.heights, strict=True):
                frame[:height] = 1
            yield Answer(tuple(map(Mask.from_frame, frames)), self.scores)


def asked(labels, **settings):
    """Returns the prompts that a model makes for labels, and whether several guesses were wanted."""
    recorder = Recorder()
    PromptNoise(recorder, **settings)(labels, keyed_rng(0))
    assert len(recorder.asked) == 1, "all objects of the image are asked for at once"
    return recorder.asked[0]


def frames(labels):
    return [mask.frame() for mask in labels.masks]


def test_the_box_has_both_corners_inside(picture):
    prompts, multimask = asked(picture)
    expected = [
        [frame.any(0).argmax(), frame.any(1).argmax(), *np.argwhere(frame)[:, ::-1].max(0)] for frame in frames(picture)
    ]
    np.testing.assert_array_equal(prompts.boxes, expected)
    assert prompts.boxes[3].tolist() == [4, 50, 30, 56]
    assert prompts.points is None
    assert multimask is True


@pytest.mark.parametrize(
    ("omega", "bar"), [(1.0, [4, 50, 30, 56]), (1.25, [0.75, 49.25, 33.25, 56.75]), (2.0, [0, 47, 43, 59])]
)
def test_omega_grows_the_box_about_its_middle_and_cuts_it_at_the_image(picture, omega, bar):
    assert asked(picture, omega=omega)[0].boxes[3].tolist() == bar


def test_omega_below_one_shrinks_the_box(picture):
    assert asked(picture, omega=0.5)[0].boxes[3].tolist() == [10.5, 51.5, 23.5, 54.5]


def test_the_point_is_the_middle_of_the_box_and_means_the_object(picture):
    prompts, multimask = asked(picture, prompt="point", multimask=False)
    assert prompts.points.tolist() == [[18, 20], [55, 30], [55, 30], [17, 53]]
    assert prompts.labels.tolist() == [1, 1, 1, 1]
    assert prompts.boxes is None
    assert multimask is False


def test_a_moved_point_has_the_spread_that_was_asked_for_and_stays_in_the_box(picture):
    model = PromptNoise(SHAPES, prompt="point", jitter_std=0.1)
    points = np.array([model.sample(picture, keyed_rng(seed))["objects"]["14"]["point"] for seed in range(800)])
    np.testing.assert_allclose(points.mean(0), [17, 53], atol=0.3)
    np.testing.assert_allclose(points.std(0), [2.6, 0.6], rtol=0.1)
    model = PromptNoise(SHAPES, prompt="point", jitter_std=5)
    points = np.array([model.sample(picture, keyed_rng(seed))["objects"]["14"]["point"] for seed in range(50)])
    assert points.min(0).tolist() == [4, 50]
    assert points.max(0).tolist() == [30, 56]


def test_a_random_point_is_a_pixel_of_the_mask_and_every_pixel_is_as_likely(picture):
    model = PromptNoise(SHAPES, prompt="random_point")
    points = [
        [model.sample(picture, keyed_rng(seed))["objects"][key]["point"] for seed in range(600)] for key in ["12", "14"]
    ]
    ring, bar = (np.array(some, int) for some in points)
    assert frames(picture)[1][ring[:, 1], ring[:, 0]].all()
    assert frames(picture)[3][bar[:, 1], bar[:, 0]].all()
    columns, rows = bar.T
    assert set(rows) == set(range(50, 57))
    counts = np.bincount(columns - 4, minlength=27)
    chi_square = ((counts - 600 / 27) ** 2 / (600 / 27)).sum()
    assert chi_square < 54.1  # 0.999 quantile with 26 degrees of freedom


@pytest.mark.parametrize(("select", "height"), [("score", 20), ("largest", 30), ("iou_oracle", 10)])
def test_the_guess_taken(picture, select, height):
    top = np.zeros((60, 80), np.uint8)
    top[:11] = 1
    clean = picture.replace(masks=(Mask.from_frame(top),) * 4)
    noisy, params = PromptNoise(Recorder(), select=select).run(clean, keyed_rng(0))
    assert [mask.box for mask in noisy.masks] == [(0, 0, 80, height)] * 4
    index = {10: 0, 30: 1, 20: 2}[height]
    for drawn in params["objects"].values():
        assert drawn == {"box": [0, 0, 79, 10], "index": index, "score": (0.2, 0.1, 0.9)[index]}


def test_the_first_of_equal_guesses_is_taken(picture):
    for select in ("score", "largest", "iou_oracle"):
        model = PromptNoise(Recorder((5, 5, 5), (0.5, 0.5, 0.5)), select=select)
        assert {drawn["index"] for drawn in model.sample(picture, keyed_rng(0))["objects"].values()} == {0}


def test_history_tells_prompt_score_and_choice(picture):
    model = build_noise({"type": "noisyseg.Recipe", "noises": [{"type": "noisyseg.PromptNoise", "prompter": SHAPES}]})
    history = model.history(model.sample(picture, keyed_rng(0)))
    assert set(history) == {11, 12, 13, 14}
    (entry,) = history[14]
    assert entry["op"] == "PromptNoise"
    assert entry["params"]["prompter"] == SHAPES
    assert entry["draws"] == {"box": [4, 50, 30, 56], "index": 1, "score": 0.9}


def test_what_was_chosen_is_replayed_even_when_another_guess_would_be_selected(picture):
    params = PromptNoise(Recorder(), select="largest").sample(picture, keyed_rng(0))
    noisy = PromptNoise(Recorder(), select="score").apply(picture, params)
    assert {mask.box for mask in noisy.masks} == {(0, 0, 80, 30)}


def test_flat_colours_are_found_from_their_boxes(picture):
    noisy = PromptNoise(COLOURS)(picture, keyed_rng(0))
    for place in (0, 2, 3):
        np.testing.assert_array_equal(noisy.masks[place].frame(), picture.masks[place].frame())


def test_a_point_in_a_ring_gives_what_lies_inside_it(picture):
    noisy = PromptNoise(COLOURS, prompt="point")(picture, keyed_rng(0))
    np.testing.assert_array_equal(noisy.masks[1].frame(), picture.masks[2].frame())
    assert noisy.source.tolist() == [11, 12, 13, 14]
    assert noisy.classes.tolist() == [0, 1, 2, 0]
    noisy = PromptNoise(COLOURS, prompt="random_point")(picture, keyed_rng(0))
    np.testing.assert_array_equal(noisy.masks[1].frame(), picture.masks[1].frame())


def test_the_recipe_makes_boxes_around_the_answers_and_settles_empty_ones(picture):
    nothing = PromptNoise(Recorder((0, 0, 0)))
    for on_empty, left in (("restore", 4), ("drop", 0), ("keep", 4)):
        recipe = build_noise({"type": "noisyseg.Recipe", "noises": [nothing], "on_empty": on_empty})
        noisy, params = recipe.run(picture, keyed_rng(0))
        assert len(noisy) == left
        assert params["vanished"] == [11, 12, 13, 14]
        areas = [mask.area for mask in noisy.masks]
        assert areas == {"restore": [mask.area for mask in picture.masks], "drop": [], "keep": [0] * 4}[on_empty]
    recipe = build_noise({"type": "noisyseg.Recipe", "noises": [PromptNoise(Recorder())]})
    assert recipe(picture, keyed_rng(0)).boxes.tolist() == [[0, 0, 80, 20]] * 4


def test_crowds_are_asked_for_only_when_the_recipe_says_so(picture):
    crowd = picture.replace(crowd=np.array([False, True, False, False]))
    for crowds, number in (("keep", 3), ("noise", 4)):
        recorder = Recorder()
        recipe = build_noise({"type": "noisyseg.Recipe", "noises": [PromptNoise(recorder)], "crowds": crowds})
        noisy = recipe(crowd, keyed_rng(0))
        assert len(recorder.asked[0][0]) == number
        assert noisy.crowd.tolist() == [False, True, False, False]


def test_inside_one_of_all_objects_of_an_image_are_asked_for_at_once(picture):
    recorder = Recorder()
    model = build_noise({"type": "noisyseg.OneOf", "noises": [PromptNoise(recorder)], "probs": [1.0]})
    noisy, params = model.run(picture, keyed_rng(0))
    assert len(recorder.asked) == 1
    assert {mask.box for mask in noisy.masks} == {(0, 0, 80, 20)}
    assert params["objects"]["14"]["draws"] == {"box": [4, 50, 30, 56]}


def test_a_model_wants_an_image_when_its_segmenter_does(picture):
    for prompter, needs in ((SHAPES, False), (COLOURS, True)):
        inner = {"type": "noisyseg.PromptNoise", "prompter": prompter}
        assert build_noise(inner).needs_image is needs
        assert build_noise({"type": "noisyseg.Recipe", "noises": [inner]}).needs_image is needs
    with pytest.raises(TypeError, match="PromptNoise needs the image of the labels, but they have none"):
        PromptNoise(COLOURS)(picture.replace(image=None), keyed_rng(0))


def test_it_travels_between_processes(picture):
    model = PromptNoise(COLOURS, prompt="random_point")
    there = pickle.loads(pickle.dumps(model))
    for one, other in zip(model(picture, keyed_rng(1)).masks, there(picture, keyed_rng(1)).masks, strict=True):
        assert one.rle == other.rle


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prompt": "scribble"}, r"^noise\.prompt: expected one of box, point, random_point, got 'scribble'"),
        ({"select": "best"}, r"^noise\.select: expected one of score, largest, iou_oracle, got 'best'"),
        ({"omega": 0}, r"^noise\.omega: expected a number > 0, .*got 0"),
        ({"omega": float("nan")}, r"^noise\.omega: expected a number > 0, .*got nan"),
        ({"omega": 2, "prompt": "point"}, r"^noise\.omega: .*1 unless prompt='box', got 2 for 'point'"),
        ({"jitter_std": -1, "prompt": "point"}, r"^noise\.jitter_std: expected a number >= 0, .*got -1"),
        ({"jitter_std": 0.3}, r"^noise\.jitter_std: .*0 unless prompt='point', got 0.3 for 'box'"),
        (
            {"prompter": {"type": "noisyseg.StubPrompter", "by": "magic"}},
            r"^noise\.prompter\.by: expected shape or colour",
        ),
        ({"prompter": {"type": "noisyseg.NoSuchPrompter"}}, r"^noise\.prompter: .*NoSuchPrompter"),
        ({"prompter": {"type": "noisyseg.Scale", "size": 3}}, r"^noise\.prompter: expected a segmenter .*got a Scale"),
        ({"prompter": "sam"}, r"^noise\.prompter: expected a segmenter .*got 'sam'"),
        ({"prompter": {"by": "shape"}}, r"^noise\.prompter: expected dict\(type=\.\.\.\)"),
        ({"prompter": {"type": "noisyseg.StubPrompter", "colour": 1}}, r"^noise\.prompter: .*colour"),
    ],
)
def test_bad_settings_say_where_they_stand(changes, message):
    with pytest.raises(NoiseConfigError, match=message):
        build_noise({"type": "noisyseg.PromptNoise", "prompter": SHAPES} | changes)
