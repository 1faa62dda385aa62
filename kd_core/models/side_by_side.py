"""Rows of several views that lie side by side as whole numbers, taken apart by a network. Legend: N rows, W numbers of a row."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from kd_core.data.input_spec import STEPS, InputSpec


def taken_apart(x_NW: Tensor, parts: Sequence[InputSpec]) -> list[Tensor]:
    """Give each view its own part, as `InputSpec.pack` wrote it, in operations that every runtime has.

    Bytes come as float32, which is what networks over pixels make of them first. Shape: (N, W) int32 -> one (N, *shape) a part.
    """
    found, at = [], 0
    for part in parts:
        own = x_NW[:, at : at + part.packed]
        at += part.packed
        if part.dtype == "float32":
            found.append(own.float() / STEPS)
        elif part.dtype == "uint8":
            flat = torch.cat([own % 256, own // 256 % 256, own // 65_536], dim=1)[:, : part.width]
            found.append(torch.unflatten(flat.float(), 1, part.shape))
        else:
            found.append(own)
    return found
