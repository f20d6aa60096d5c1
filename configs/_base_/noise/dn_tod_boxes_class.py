# DN-TOD (arXiv 2401.08056), mode "boxes and class", with the draws that each of them has alone.
_base_ = ["dn_tod_boxes.py"]
noise = _base_.noise
noise.noises.append(dict(type="noisyseg.ClassConfusion", rate=0.2, include_self=False))
