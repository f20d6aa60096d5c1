"""The three stages, on scenes whose edges lie about 4 pixels beside the true ones, make the detector's edges better."""

import pytest

pytest.importorskip("mmseg")

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from PIL import Image

from noisyseg.evaluation.edges import EdgeProtocol, edge_counts, edge_scores
from noisyseg.labels.edges import label_edges, thinned
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.kernels.edges import clipped, field_grid, smooth_field, sources
from noisyseg.registry import MODELS
from noisyseg.scenes import write_scenes

HELD_OUT = 16
SMOOTH = dict(confidence="probability", complexity_weight=0.0, smoothness_weight=1.0)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """Images (3, H, W), shifted edges (1, H, W) and clean ones of one pixel (H, W)."""
    root = write_scenes(tmp_path_factory.mktemp("data") / "scenes", train=80, val=1, size=96)
    found = []
    for index, path in enumerate(sorted((root / "images" / "train").iterdir())):
        labels = np.asarray(Image.open(root / "semantic" / "train" / path.name))
        normals = keyed_rng(0, index).standard_normal((2, *field_grid(labels.shape, 64)))
        moved = labels[sources(clipped(smooth_field(normals, labels.shape, 4, 64), 9))]
        image = torch.from_numpy(cv2.imread(str(path)).transpose(2, 0, 1).copy())
        bits = torch.from_numpy(label_edges(moved, 1).astype(np.int32)[None])
        found.append((image, bits, thinned(label_edges(labels, 1))))
    return found


def batch(scenes, model):
    samples = [SegDataSample(gt_edge_bits=PixelData(data=bits)) for _, bits, _ in scenes]
    data = model.data_preprocessor(dict(inputs=[image for image, _, _ in scenes], data_samples=samples), training=False)
    return data["inputs"], data["data_samples"]


def train(model, stage, scenes, iterations, rate):
    model.train()
    model.set_stage(stage)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=iterations)
    rng = np.random.default_rng(0)
    for _ in range(iterations):
        chosen = rng.choice(len(scenes), 4, replace=False)
        losses = model.loss(*batch([scenes[index] for index in chosen], model))
        optimizer.zero_grad()
        sum(value for name, value in losses.items() if "loss" in name).backward()
        optimizer.step()
        schedule.step()


def score(model, scenes):
    model.eval()
    protocol, counts = EdgeProtocol.of("bsds", thresholds=33, labels="scenes"), []
    for scene in scenes:
        (predicted,) = model.predict(*batch([scene], model))
        counts.append(edge_counts(predicted.edge_prob.data[0].numpy(), [scene[2]], protocol))
    return edge_scores(np.stack(counts), protocol).ods.f


@pytest.mark.slow
def test_the_last_stage_is_better_than_the_first(scenes, repository):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    detector = Config.fromfile(repository / "configs" / "_base_" / "models" / "casenet_r18_small.py").model
    shift = dict(type="noisyseg.PixelShiftField", channels=8, depth=2)
    model = MODELS.build(dict(type="noisyseg.PNTEdge", detector=detector, shift=shift, **SMOOTH))
    seen, held_out = scenes[HELD_OUT:], scenes[:HELD_OUT]
    train(model, "warmup", seen, 150, 1e-2)
    first = score(model, held_out)
    train(model, "shift", seen, 150, 3e-3)
    train(model, "edge", seen, 100, 5e-3)
    assert first > 0.2
    assert score(model, held_out) >= first
