# COCO-N "low" of the third generator with its quirks: classes stay, even kernels, vanished objects lost, noisy crowds.
_base_ = "coco_n_v2_low.py"
noise = _base_.noise
noise.update(on_empty="drop", crowds="noise")
noise.noises[0].guard = "none"  # Missing
noise.noises[1].rate = 0.0  # GroupConfusion: the authors' code draws a class and does not write it
noise.noises[2].mode = "official"  # RedrawnPolygons
