# COCO-N "hard" of the second generator with its quirks: empty images, stale boxes, noisy crowds, holes filled.
_base_ = "coco_n_v1_hard.py"
noise = _base_.noise
noise.update(on_empty="keep", boxes="keep", crowds="noise")
noise.noises[0].guard = "official"  # Missing
noise.noises[2].noises[0].mode = "official"  # Approximation
noise.noises[2].noises[1].mode = "official"  # Localization
