"""Forward correction: predict clean labels, and be judged by what a known noise would make of them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from noisyseg.losses.closed_form import closed_form, subtract_at
from noisyseg.losses.elementwise import ElementwiseLoss
from noisyseg.registry import MODELS

__all__ = ["ForwardCorrection", "forward_correction", "read_transition"]


def forward_correction(logits: Tensor, target: Tensor, transition: Tensor) -> Tensor:
    """Returns ``-log (T^T p)_y`` of each element, with ``T_jk = P(given k | true j)``.

    The softmax p stands for the true label, and ``T^T p`` for the given one, so that p may stay sure where the given
    label is one that noise makes of the true label. With the right T the minimizer is that of cross entropy on clean
    labels. With the identity it is cross entropy.

    Patrini et al., "Making Deep Neural Networks Robust to Label Noise: A Loss Correction Approach", CVPR 2017,
    theorem 2. The gradient is ``p - r`` with ``r_j = p_j T_jy / (T^T p)_y``, the probability of the true label j given
    the label y.

    Args:
        logits: (N, K, ...) float.
        target: (N, ...) int64 in 0..K-1.
        transition: (K, K) of the type and device of the logits; rows sum to 1, and the diagonal is > 0.

    Returns:
        (N, ...) >= 0. The part of the label's own class is computed on logarithms, that of the others on
        probabilities: in float32 what is below 1e-38 is left out, which only shows in losses above 80.

    Raises:
        ValueError: The matrix is of another number of classes than the logits.

    Examples:
        >>> import torch
        >>> logits = torch.tensor([[2.0, 0.0, -1.0]], dtype=torch.float64)
        >>> transition = 0.1 + 0.7 * torch.eye(3, dtype=torch.float64)
        >>> forward_correction(logits, torch.tensor([0]), transition)
        tensor([0.3701], dtype=torch.float64)
    """
    classes = logits.shape[1]
    if transition.shape != (classes, classes):
        raise ValueError(f"transition: expected ({classes}, {classes}) for these logits, not {tuple(transition.shape)}")
    own = transition.diagonal()
    exponent_limit = -math.log(torch.finfo(logits.dtype).tiny)

    def kernel(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        log_p = F.log_softmax(logits, dim=1)
        log_own = log_p.gather(1, target.unsqueeze(1)).squeeze(1) + own.log()[target]
        p = log_p.exp_()
        others = (transition - own.diag()).index_select(1, target.flatten())
        others = others.reshape(classes, *target.shape).transpose(0, 1)  # T_jy for each element and j != y
        others.mul_(p)
        log_given = torch.logaddexp(others.sum(1).log_(), log_own)
        others.mul_((-log_given).clamp_(max=exponent_limit).exp_().unsqueeze(1))
        return -log_given, subtract_at(p.sub_(others), target, (log_own - log_given).exp_())

    return closed_form(kernel, logits, target)


@MODELS.register_module()
class ForwardCorrection(ElementwiseLoss):
    """Forward-corrected cross entropy with a fixed matrix; see `forward_correction`.

    Args:
        transition: (K, K) matrix ``T_jk = P(given k | true j)``, or the path of a ``.json`` or ``.npy`` file with one.
            A number r in [0, 0.5) stands for a label that is kept with probability 1 - r and else becomes any other,
            all equally often. The sigmoid form takes 2 x 2 matrices, absent before present, one for all channels. In
            mmdet's softmax box heads K counts the background, which comes last.
        epsilon: Share in [0, 1) of the identity that is mixed into the matrix, against estimates that trust labels
            too little.
        allow_weak_diagonal: Take matrices that keep some class with a probability below 0.5. They are refused
            otherwise: a network that swaps such classes with others then fits the labels better.
        **settings: The arguments of `ElementwiseLoss`.

    Raises:
        ValueError: The matrix is not square, or negative, its rows do not sum to 1 (to 1e-4), a class is never kept,
            or kept too seldom (see above); another number of classes than the form or the logits have; epsilon out of
            range; a file of another kind.
        FileNotFoundError: There is no such file.
    """

    def __init__(
        self,
        transition: float | Sequence[Sequence[float]] | str | Path,
        epsilon: float = 0.01,
        allow_weak_diagonal: bool = False,
        **settings: Any,  # noqa: ANN401 - passed on
    ) -> None:
        super().__init__(**settings)
        if not 0 <= epsilon < 1:
            raise ValueError(f"epsilon: expected 0 <= epsilon < 1, not {epsilon!r}")
        self.epsilon = epsilon
        self.rate: float | None = None
        matrix = None
        if isinstance(transition, int | float):
            self.rate = float(transition)
            if not 0 <= self.rate < 0.5:
                raise ValueError(f"transition: expected a rate in [0, 0.5), or a matrix, not {transition!r}")
        else:
            matrix = _checked(read_transition(transition), epsilon, allow_weak_diagonal)
            if (self.use_sigmoid or self.use_mask) and len(matrix) != 2:
                raise ValueError(f"transition: the sigmoid form has 2 classes, the matrix has {len(matrix)}")
        self.register_buffer("_transition", None if matrix is None else torch.from_numpy(matrix), persistent=False)

    def elementwise(self, logits: Tensor, target: Tensor) -> Tensor:
        """Returns `forward_correction` of the elements."""
        if self.rate is None:
            return forward_correction(logits, target, self._transition.to(logits))
        classes = logits.shape[1]
        rate = (1 - self.epsilon) * self.rate
        transition = logits.new_full((classes, classes), rate / (classes - 1)).fill_diagonal_(1 - rate)
        return forward_correction(logits, target, transition)

    def extra_repr(self) -> str:
        """Returns the settings."""
        matrix = f"{len(self._transition)} classes" if self.rate is None else self.rate
        return f"transition={matrix}, epsilon={self.epsilon}, {super().extra_repr()}"


def read_transition(source: Sequence[Sequence[float]] | str | Path) -> np.ndarray:
    """Returns a transition matrix, float64, from rows of numbers or from a ``.json`` or ``.npy`` file.

    Raises:
        ValueError: A file of another kind, or what is found there is not a square table of numbers.
        FileNotFoundError: There is no such file.
    """
    where = "transition"
    if isinstance(source, str | Path):
        where, path = str(source), Path(source)
        if path.suffix == ".json":
            source = json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix == ".npy":
            source = np.load(path, allow_pickle=False)
        else:
            raise ValueError(f"{where}: expected a .json or .npy file")
    try:
        matrix = np.array(source, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: expected rows of numbers, all of one length: {error}") from error
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(matrix) < 2:
        raise ValueError(f"{where}: expected a (K, K) matrix of at least 2 classes, not the shape {matrix.shape}")
    return matrix


def _checked(matrix: np.ndarray, epsilon: float, allow_weak_diagonal: bool) -> np.ndarray:
    """Returns the matrix with the identity mixed in, if it is one of conditional probabilities."""
    if not (matrix >= 0).all():  # false for NaN, too
        raise ValueError(f"transition: expected numbers >= 0, not {matrix.min():g}")
    sums = matrix.sum(axis=1)
    worst = int(abs(sums - 1).argmax())
    if abs(sums[worst] - 1) > 1e-4:
        raise ValueError(f"transition: expected rows that sum to 1; row {worst} sums to {sums[worst]:g}")
    weakest = int(matrix.diagonal().argmin())
    kept = matrix[weakest, weakest]
    if kept < 0.5 and not allow_weak_diagonal:
        raise ValueError(
            f"transition: class {weakest} keeps its label with probability {kept:g}, below 0.5; a network that takes "
            "it for another class may fit better. allow_weak_diagonal=True takes the matrix as it is"
        )
    matrix = (1 - epsilon) * matrix + epsilon * np.eye(len(matrix))
    if matrix[weakest, weakest] == 0:
        raise ValueError(f"transition: class {weakest} never keeps its label; set epsilon > 0")
    return matrix
