"""Where in a picture a network finds something: the attention that the maps of a stage add up to, and what is kept of it.

Legend: N rows, K bands, H and W places.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kd_core.data.dataset import Array
from kd_core.models.base import ShowsMaps
from kd_core.training.predict import ROWS_AT_ONCE
from kd_core.training.rows import as_tensor

MOST_SIDE = 32  # places of a kept attention map each way: small pictures are kept as they are, large ones averaged
ROW_BYTES = 4 * 2 * MOST_SIDE**2  # of one row at most: four stages, each of so many places and two bytes a place
SMALLEST = 1e-12  # length of a map: one that found nothing anywhere has none


def attention(x: Tensor) -> Tensor:
    """Say how much was found at each place: the mean square over the bands, each row's of length 1.

    Shape: maps (N, K, H, W), or attention (N, H, W), which stays what it is -> (N, H, W). Source: arXiv:1612.03928, section 3.1.
    """
    x = x.square().mean(1) if x.dim() == 4 else x
    return F.normalize(x.flatten(1), dim=1, eps=SMALLEST).view_as(x)


def paired(own: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Pair the attention of two networks' stages, last with last, each pair averaged to the smaller of its sizes.

    Shape: -> pairs of (N, H, W), as many as the network of fewer stages has.
    """
    count = min(len(own), len(theirs))
    both = zip(list(own.values())[-count:], list(theirs.values())[-count:], strict=True)
    return [_alike(attention(s), attention(t)) for s, t in both]


def _alike(own: Tensor, theirs: Tensor) -> tuple[Tensor, Tensor]:
    if own.shape == theirs.shape:
        return own, theirs
    size = min(own.shape[1], theirs.shape[1]), min(own.shape[2], theirs.shape[2])
    return attention(F.adaptive_avg_pool2d(own, size)), attention(F.adaptive_avg_pool2d(theirs, size))


def kept(x_NKHW: Tensor) -> Tensor:
    """Make of a teacher's maps what is kept of them. Shape: (N, K, H, W) -> attention (N, H, W) float16, at most 32 x 32 places."""
    found = attention(x_NKHW)
    size = min(found.shape[1], MOST_SIDE), min(found.shape[2], MOST_SIDE)
    return (found if found.shape[1:] == size else attention(F.adaptive_avg_pool2d(found, size))).half()


def predict_maps(module: ShowsMaps, x: Array | Tensor, device: torch.device | None = None) -> dict[str, Array]:
    """Compute where a convolutional network finds something, stage by stage, in evaluation mode.

    Shape: x (N, K, H, W) -> attention (N, h, w) float16 by stage, each row's of length 1.
    """
    device = device or torch.device("cpu")
    assert isinstance(module, nn.Module)
    training, rows, most = module.training, as_tensor(x), int(getattr(module, "rows_at_once", ROWS_AT_ONCE))
    module.to(device).eval()
    module.shows_maps = True
    parts: list[dict[str, Array]] = []
    with torch.inference_mode():
        for at in range(0, max(1, len(rows)), most):
            hidden = module(rows[at : at + most].to(device, non_blocking=True)).hidden
            parts.append({name: kept(maps).cpu().numpy() for name, maps in hidden.items()})
    module.shows_maps = False
    module.train(training)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
