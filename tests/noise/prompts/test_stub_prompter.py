import numpy as np
import pytest

from noisyseg.noise.prompts import Prompter, Prompts, StubPrompter

SIZE_HW = (60, 80)


def answers(stub, prompts, image=None, multimask=True):
    return list(stub.answers(image, SIZE_HW, prompts, multimask=multimask))


def points(*places):
    return Prompts(points=np.array(places, float), labels=np.ones(len(places), int))


def test_it_is_a_segmenter():
    assert isinstance(StubPrompter(), Prompter)
    assert [StubPrompter(by).needs_image for by in ("shape", "colour")] == [False, True]


def test_a_box_is_answered_with_two_ellipses_and_itself():
    (answer,) = answers(StubPrompter(), Prompts(boxes=np.array([[10, 20, 49, 39.0]])))
    inner, ellipse, whole = answer.masks
    assert whole.box == ellipse.box == (10, 20, 50, 40)
    assert whole.area == 40 * 20
    assert ellipse.area == pytest.approx(np.pi * 20 * 10, rel=0.03)
    assert inner.area == pytest.approx(np.pi * 10 * 5, rel=0.05)
    assert ((inner.frame() <= ellipse.frame()) & (ellipse.frame() <= whole.frame())).all()


def test_a_point_is_answered_with_three_discs():
    (answer,) = answers(StubPrompter(), points((40, 30)))
    for mask, share in zip(answer.masks, (0.05, 0.1, 0.2), strict=True):
        assert mask.area == pytest.approx(np.pi * (share * 60) ** 2, rel=0.1)
        assert mask.frame()[30, 40] == 1


def test_shapes_are_cut_at_the_image():
    corner, outside = answers(StubPrompter(), points((0, 0), (79, 59)))
    assert corner.masks[2].box == (0, 0, 13, 13)
    assert outside.masks[2].box == (67, 47, 80, 60)
    (answer,) = answers(StubPrompter(), Prompts(boxes=np.array([[-5, -5, 200, 200.0]])))
    assert answer.masks[2].area == 60 * 80


@pytest.mark.parametrize("box", [[3, 4, 3, 4], [3, 4, 30, 4], [0, 0, 0, 0], [79, 59, 79, 59]])
def test_thin_boxes_have_answers(box):
    (answer,) = answers(StubPrompter(), Prompts(boxes=np.array([box], float)))
    assert all(mask.area >= 1 for mask in answer.masks)
    assert answer.masks[2].area == (box[2] - box[0] + 1) * (box[3] - box[1] + 1)


def test_scores_turn_with_the_place():
    scores = [answer.scores for answer in answers(StubPrompter(), points((10, 10), (11, 10), (12, 10)))]
    assert all(sorted(some) == [0.7, 0.8, 0.9] for some in scores)
    assert len(set(scores)) == 3


def test_one_guess_is_the_second():
    for prompts in (points((40, 30)), Prompts(boxes=np.array([[10, 20, 49, 39.0]]))):
        (many,), (one,) = answers(StubPrompter(), prompts), answers(StubPrompter(), prompts, multimask=False)
        assert [mask.rle for mask in one.masks] == [many.masks[1].rle]
        assert one.scores == many.scores[1:2]


def test_colours_are_followed_as_far_as_the_tolerance_goes():
    image = np.zeros((*SIZE_HW, 3), np.uint8)
    image[:, 20:] = 10
    image[:, 40:] = 30
    image[:, 60:] = 200
    (answer,) = answers(StubPrompter("colour"), points((5, 5)), image)
    assert [mask.box for mask in answer.masks] == [(0, 0, 20, 60), (0, 0, 40, 60), (0, 0, 60, 60)]
    assert answer.scores == (0.5, pytest.approx(2 / 3), 1.0)
    (answer,) = answers(StubPrompter("colour"), Prompts(boxes=np.array([[2, 3, 31, 22.0]])), image)
    assert [mask.box for mask in answer.masks] == [(2, 3, 20, 23), (2, 3, 32, 23), (2, 3, 32, 23)]


def test_only_what_is_connected_counts():
    image = np.zeros((*SIZE_HW, 3), np.uint8)
    image[:, 30:32] = 255
    (answer,) = answers(StubPrompter("colour"), points((60, 5)), image)
    assert {mask.box for mask in answer.masks} == {(32, 0, 80, 60)}


def test_a_speck_under_the_prompt_gives_nothing():
    image = np.zeros((*SIZE_HW, 3), np.uint8)
    image[30, 40] = 255
    (answer,) = answers(StubPrompter("colour"), points((40, 30)), image)
    assert [mask.area for mask in answer.masks] == [0, 0, 0]
    assert answer.scores == (0.0, 0.0, 0.0)


def test_a_point_beside_the_object_is_an_error():
    with pytest.raises(ValueError, match=r"labels: .*points on the object only"):
        answers(StubPrompter(), Prompts(points=np.zeros((1, 2)), labels=np.array([0])))


def test_no_prompts_have_no_answers():
    assert answers(StubPrompter(), Prompts(boxes=np.zeros((0, 4)))) == []
