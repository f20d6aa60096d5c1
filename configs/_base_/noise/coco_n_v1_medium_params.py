# COCO-N "medium-params" of the second generator: as many objects as "hard", and less strength.
_base_ = "coco_n_v1_hard.py"
noise = _base_.noise
noise.noises[2].noises[0].tolerance = 10  # Approximation
noise.noises[2].noises[1].sigma = 3  # Localization
noise.noises[2].noises[2].size = 5  # Scale
