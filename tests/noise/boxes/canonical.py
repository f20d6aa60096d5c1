"""Canonical rows of the models of box noise."""

EVERY = {
    "center_scale_jitter": {"type": "noisyseg.CenterScaleJitter", "level": 0.4},
    "center_scale_jitter_warp": {"type": "noisyseg.CenterScaleJitter", "level": 0.3, "mask_policy": "warp"},
    "coordinate_jitter": {"type": "noisyseg.CoordinateJitter", "level": 0.4, "prob": 0.9, "decimals": 0},
    "coordinate_jitter_clip": {"type": "noisyseg.CoordinateJitter", "level": 0.4, "mask_policy": "clip"},
    "gaussian_jitter": {"type": "noisyseg.GaussianJitter", "gamma": 0.1, "iou_range": [0.5, 0.8]},
    "resampled_box": {"type": "noisyseg.ResampledBox", "min_size": 2},
}

NOTHING = {
    "center_scale_jitter": {"type": "noisyseg.CenterScaleJitter", "level": 0, "mask_policy": "warp"},
    "coordinate_jitter": {"type": "noisyseg.CoordinateJitter", "level": 0.0, "mask_policy": "clip"},
    "gaussian_jitter": {"type": "noisyseg.GaussianJitter", "gamma": 0},
    "resampled_box": {"type": "noisyseg.ResampledBox", "prob": 0.0},
}
