"""Logits of a network for rows that may not fit on the device at once."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from kd_core.data.dataset import Array
from kd_core.models.building import KEEPS
from kd_core.training.rows import as_tensor

ROWS_AT_ONCE = 16384  # enough to fill any device; 1,000 columns of them take 64 MB


def predict(module: nn.Module, x: Array | Tensor, device: torch.device | None = None, what: str = "logits") -> Array:
    """Compute logits, or `features`, in evaluation mode and float32. Shape: x (N, ...) -> (N, C) or (N, D) float32 on the CPU.

    Of a network that says what is kept of its logits (`building.KEEPS`) this comes in their place, piece by piece. Shape: (N, `Task.width`).
    """
    device = device or torch.device("cpu")
    training = module.training
    if any(t.device.type != device.type for t in module.parameters()):
        module.to(device)
    module.eval()
    rows = as_tensor(x)
    keeps = getattr(module, KEEPS, None) if what == "logits" else None
    most = int(getattr(module, "rows_at_once", ROWS_AT_ONCE))  # wide architectures need less
    with torch.inference_mode():
        pieces = (rows[at : at + most] for at in range(0, max(1, len(rows)), most))
        found = (getattr(module(piece.to(device, non_blocking=True)), what) for piece in pieces)
        parts = list(found if keeps is None else map(keeps, found))
        z = torch.cat(parts).float().cpu().numpy() if len(parts) > 1 else parts[0].float().cpu().numpy()
    module.train(training)
    return np.asarray(z)
