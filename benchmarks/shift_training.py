"""What benchmarks of shifts share: a small PNT-Edge from random weights, and the training of one of its stages."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor

from noisyseg.integration.segmentation.edges import PNTEdge
from noisyseg.registry import MODELS

MODELS_FOLDER = Path(__file__).resolve().parent.parent / "configs" / "_base_" / "models"

Example = tuple[Tensor, Tensor, Tensor]
"""An image (3, H, W) uint8, edge bits (1, H, W) int32, and the edges of the image (1, H, W) uint8."""


def small_model(settings: dict[str, Any], field: dict[str, Any], classes: int = 1) -> PNTEdge:
    """Return a small CASENet with settings of `PNTEdge` and of `PixelShiftField`, from random weights."""
    torch.manual_seed(0)
    detector = Config.fromfile(MODELS_FOLDER / "casenet_r18_small.py").model
    detector.decode_head.num_classes = classes
    shift = dict(type="noisyseg.PixelShiftField", **field)
    model = MODELS.build(dict(type="noisyseg.PNTEdge", detector=detector, shift=shift, **settings))
    model.detector.init_weights()
    return model


def batch_of(examples: Sequence[Example], model: PNTEdge) -> tuple[Tensor, list[SegDataSample]]:
    """Return inputs and samples as the model's preprocessor gives them."""
    samples = []
    for _, bits, image_edges in examples:
        sample = SegDataSample(gt_edge_bits=PixelData(data=bits))
        sample.set_data({"gt_image_edges": PixelData(data=image_edges)})
        samples.append(sample)
    data = model.data_preprocessor(dict(inputs=[image for image, *_ in examples], data_samples=samples), training=False)
    return data["inputs"], data["data_samples"]


def train_stage(
    model: PNTEdge,
    stage: str,
    examples: Sequence[Example],
    iterations: int,
    rate: float,
    look: Callable[[list[int]], None] = lambda _: None,
) -> None:
    """Train one stage, 4 images a step, with AdamW and a rate that rises and falls.

    ``look`` is told before each step which examples it has.
    """
    model.train()
    model.set_stage(stage)
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=iterations)
    rng = np.random.default_rng(0)
    for _ in range(iterations):
        chosen = rng.choice(len(examples), 4, replace=False).tolist()
        look(chosen)
        losses = model.loss(*batch_of([examples[index] for index in chosen], model))
        optimizer.zero_grad()
        sum(value for name, value in losses.items() if "loss" in name).backward()
        torch.nn.utils.clip_grad_norm_(learning, 10)
        optimizer.step()
        schedule.step()
