"""Softened classes seen as two questions: how sure of the true class, and how the others share what is left.

Legend: N rows, C classes along dimension 1; `true` holds the true classes with dimension 1 kept: (N, 1), or (S, 1, B) for stacks.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kd_core.data.dataset import Array
from kd_core.evaluate.soft_labels import log_soften


def others(z: Tensor, true: Tensor) -> Tensor:
    """Take the true class out: its logit becomes -inf. Shape: as z."""
    return z.scatter(1, true, -math.inf)


def log_rest(z: Tensor, true: Tensor) -> Tensor:
    """Return log softmax over the other classes, 0 at the true one, so that products with its share of 0 are no NaN. Shape: as z."""
    return torch.log_softmax(others(z, true), dim=1).scatter(1, true, 0.0)


def odds(z: Tensor, true: Tensor) -> Tensor:
    """Return the log odds of the true class against all others together: sigmoid gives its share. Shape: as `true`."""
    return z.gather(1, true) - torch.logsumexp(others(z, true), dim=1, keepdim=True)


def log_rest_array(z: Any, labels: Array, temperature: float) -> tuple[Array, Array]:
    """Return log softmax(z / T) over the other classes alone, and their places; in numpy float64, for references.

    Shape: z (N, C), labels (N,) -> (N, C - 1) twice.
    """
    places = np.array([[c for c in range(z.shape[1]) if c != y] for y in labels])
    return log_soften(np.take_along_axis(z, places, axis=1), temperature), places
