# DN-TOD (arXiv 2401.08056), all modes: missing, boxes, class, extra, with the draws that each of them has alone.
_base_ = ["dn_tod_boxes_class.py"]
noise = _base_.noise
noise.noises.insert(0, dict(type="noisyseg.Missing", rate=0.2))
noise.noises.append(
    dict(type="noisyseg.Bogus", rate=0.2, share_of="clean", size="copy", spread="bernoulli", max_iou=0.2)
)
