# COCO-N "easy-params" of the second generator: as many objects as "hard", and less strength.
_base_ = "coco_n_v1_hard.py"
noise = _base_.noise
noise.noises[2].noises[0].tolerance = 5  # Approximation
noise.noises[2].noises[1].sigma = 2  # Localization
noise.noises[2].noises[2].size = 3  # Scale
