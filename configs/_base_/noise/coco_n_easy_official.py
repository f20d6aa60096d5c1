# COCO-N "easy" with the quirks of the authors' files: stale boxes, vanished masks, noisy crowds, holes filled.
_base_ = "coco_n_easy.py"
noise = _base_.noise
noise.update(on_empty="keep", boxes="keep", crowds="noise")
noise.noises[1].noises[0].mode = "official"  # Approximation
noise.noises[1].noises[1].mode = "official"  # Localization
