"""Segment Anything models as promptable segmenters, through ``transformers``."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from noisyseg.labels import Mask
from noisyseg.noise.prompts import Answer, Prompts
from noisyseg.registry import TASK_UTILS

if TYPE_CHECKING:  # both take seconds to import, and this module is imported by every look-up of a prompter
    import torch

__all__ = ["SamPrompter"]

PROMPT_INPUTS = {"input_boxes": "float32", "input_points": "float32", "input_labels": "int64"}


class _Loaded(NamedTuple):
    model: Any
    processor: Any
    device: torch.device


@TASK_UTILS.register_module()
class SamPrompter:
    """A segmenter of the SAM family, from a folder or from the Hugging Face hub.

    An image is embedded once, whatever the number of prompts. The model is loaded at the first use, by each process
    for itself; nothing is downloaded when ``checkpoint`` is a folder. Answers on another device, with another
    ``dtype`` or ``batch_size`` can differ in a few pixels.

    Args:
        checkpoint: Folder, or name on the hub, such as ``"facebook/sam-vit-huge"``.
        device: Such as ``"cuda:1"``; None is ``"cuda"`` where there is one, else ``"cpu"``.
        batch_size: Prompts that go through the mask decoder together, >= 1.
        dtype: Numbers that the image encoder computes with. Prompts and masks stay float32: half precision would round
            the place of a prompt to pixels.

    Raises:
        ImportError: ``transformers`` is not installed.
        ValueError: An argument cannot be used; at the first use, ``checkpoint`` holds no such model.
    """

    needs_image = True
    costly = True  # seconds an image: what has been made is kept when a run breaks off

    def __init__(
        self,
        checkpoint: str,
        device: str | None = None,
        batch_size: int = 16,
        dtype: Literal["float32", "float16", "bfloat16"] = "float32",
    ) -> None:
        if find_spec("transformers") is None:
            raise ImportError("noisyseg.SamPrompter needs transformers: pip install 'noisyseg[sam]'")
        if not isinstance(checkpoint, str | Path) or not str(checkpoint):
            raise ValueError(f"checkpoint: expected a folder or a name on the Hugging Face hub, got {checkpoint!r}")
        if batch_size < 1:
            raise ValueError(f"batch_size: expected a number >= 1, got {batch_size}")
        if dtype not in ("float32", "float16", "bfloat16"):
            raise ValueError(f"dtype: expected float32, float16 or bfloat16, got {dtype!r}")
        self.checkpoint, self.device, self.batch_size, self.dtype = str(checkpoint), device, batch_size, dtype
        self._loaded: _Loaded | None = None

    def answers(
        self, image: npt.NDArray[np.uint8] | None, size_hw: tuple[int, int], prompts: Prompts, *, multimask: bool
    ) -> Iterator[Answer]:
        """See :class:`~noisyseg.noise.prompts.prompter.Prompter`."""
        if not len(prompts):
            return
        import torch

        self._loaded = self._loaded or self._load()
        model, processor, device = self._loaded
        half = torch.autocast(device.type, getattr(torch, self.dtype), enabled=self.dtype != "float32")
        with torch.inference_mode():
            # A copy: torch warns of arrays that it may not write to, as readers of images give them.
            inputs = processor(images=np.array(image), return_tensors="pt", **_nested(prompts))
            with half:
                embeddings = model.get_image_embeddings(inputs["pixel_values"].to(device))
            embeddings = _as_arguments(_float(embeddings))
        for start in range(0, len(prompts), self.batch_size):
            batch = {
                name: inputs[name][:, start : start + self.batch_size].to(device, getattr(torch, kind))
                for name, kind in PROMPT_INPUTS.items()
                if name in inputs
            }
            # Entered anew for each batch: a generator gives its caller the mode that it is in when it yields.
            with torch.inference_mode():
                output = model(**embeddings, **batch, multimask_output=multimask)
                sizes = [inputs[name] for name in ("original_sizes", "reshaped_input_sizes") if name in inputs]
                frames = processor.post_process_masks(output.pred_masks.float(), *sizes)[0].cpu().numpy()
                scores = output.iou_scores[0].float().cpu().tolist()
            for some, their in zip(frames, scores, strict=True):
                yield Answer(tuple(map(Mask.from_frame, some)), tuple(their))

    def _load(self) -> _Loaded:
        import torch
        from transformers import AutoModelForMaskGeneration, AutoProcessor

        device = torch.device(self.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        local = Path(self.checkpoint).is_dir()
        try:
            model = AutoModelForMaskGeneration.from_pretrained(self.checkpoint, local_files_only=local)
            processor = AutoProcessor.from_pretrained(self.checkpoint, local_files_only=local)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"checkpoint: expected the folder or the name of a SAM model, got {self.checkpoint!r}: {error}"
            ) from error
        return _Loaded(model.eval().to(device, torch.float32), processor, device)

    def __getstate__(self) -> dict[str, Any]:
        """Leaves the model behind: the process that it is sent to loads its own."""
        return self.__dict__ | {"_loaded": None}


def _nested(prompts: Prompts) -> dict[str, list]:
    """Returns the prompts as the processors take them: by image, by object, by point."""
    if prompts.boxes is not None:
        return {"input_boxes": [prompts.boxes.tolist()]}
    return {
        "input_points": [[[point] for point in prompts.points.tolist()]],
        "input_labels": [[[label] for label in prompts.labels.tolist()]],
    }


def _float(embeddings: Any) -> Any:  # noqa: ANN401 - a tensor, or tensors in lists and tuples
    if isinstance(embeddings, list | tuple):
        return type(embeddings)(map(_float, embeddings))
    return embeddings.float()


def _as_arguments(embeddings: Any) -> dict[str, Any]:  # noqa: ANN401 - a tensor, or tensors in lists and tuples
    """Returns what is known of an image, as arguments for the mask decoder."""
    if isinstance(embeddings, tuple):  # SAM-HQ
        return {"image_embeddings": embeddings[0], "intermediate_embeddings": embeddings[1]}
    return {"image_embeddings": embeddings}
