"""A picture of flat colours, whose objects a segmenter by colour finds exactly."""

import cv2
import numpy as np
import pytest

from noisyseg.labels import Categories, Instances, Mask

SIZE_HW = (60, 80)


@pytest.fixture
def picture():
    """Returns an image of a disc, a ring around another disc and a bar, and its labels: disc, ring, inner disc, bar."""
    frames = np.zeros((4, *SIZE_HW), np.uint8)
    cv2.circle(frames[0], (18, 20), 11, 1, -1)
    cv2.circle(frames[1], (55, 30), 20, 1, -1)
    cv2.circle(frames[2], (55, 30), 9, 1, -1)
    frames[1][frames[2] == 1] = 0
    frames[3][50:57, 4:31] = 1
    image = np.full((*SIZE_HW, 3), 20, np.uint8)
    for frame, colour in zip(frames, ((200, 30, 30), (30, 200, 30), (30, 30, 200), (210, 210, 30)), strict=True):
        image[frame == 1] = colour
    masks = [Mask.from_frame(frame) for frame in frames]
    labels = Instances.from_masks(masks, [0, 1, 2, 0], Categories.from_names("abc"), SIZE_HW, [11, 12, 13, 14])
    return labels.replace(image=image)
