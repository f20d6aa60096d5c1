# COCO-N "easy-amount" of the second generator: the strength of "hard", for fewer objects.
_base_ = "coco_n_v1_hard.py"
noise = _base_.noise
noise.noises[2].probs = [0.2, 0.2, 0.2]
