"""How much each part of a lesson moves a student: the size of its gradient, measured once an epoch on one batch.

Weights say little of it: a term of weight 1 may have a gradient a thousand times that of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

Shares = dict[str, float]  # of each part, adding up to 1; that of the hard-label loss is called `specs.LABELS`
MOST_POINTS = 50  # of a curve in a result


def of_sizes(sizes: Mapping[str, float]) -> Shares:
    """Turn sizes into shares of their sum; none where nothing moves the student."""
    total = sum(sizes.values())
    return {name: size / total for name, size in sizes.items()} if total > 0 else {}


def size(gradient: Tensor, classes: int = 1) -> Tensor:
    """Add up the lengths of the rows' gradients. Shape: (..., C, B) with `classes` -2, or (B, C) with 1 -> (...)."""
    found: Tensor = gradient.float().norm(dim=classes).sum(-1)
    return found


def measure(parts: Mapping[str, Tensor], z: Tensor, weights: Sequence[Tensor]) -> Shares:
    """Compare the gradients of parts, each with its weight in it, by the logits; parts keep their graph.

    Where one does not reach the logits (it compares inner features), all are compared by the student's weights instead.
    Shape: z (B, C).
    """
    moving = {name: part for name, part in parts.items() if part.requires_grad}
    if not moving or not z.requires_grad:
        return {}
    still = dict.fromkeys(parts, 0.0)
    by_z = {n: torch.autograd.grad(p, z, retain_graph=True, allow_unused=True)[0] for n, p in moving.items()}
    if all(g is not None for g in by_z.values()):
        return of_sizes(still | {n: size(g).item() for n, g in by_z.items()})
    if not weights:
        return {}
    found = {n: torch.autograd.grad(p, list(weights), retain_graph=True, allow_unused=True) for n, p in moving.items()}
    return of_sizes(still | {n: _length(gradients) for n, gradients in found.items()})


def _length(gradients: Sequence[Tensor | None]) -> float:
    parts = [g.float().norm() for g in gradients if g is not None]
    return torch.stack(parts).norm().item() if parts else 0.0


def told(history: Sequence[Mapping[str, Any]], last: int) -> dict[str, Any]:
    """Lay out what was measured: `mean` over the epochs up to the one that was kept (`last`), and `curve`, epoch by epoch, thinned.

    Nothing where nothing was measured.
    """
    rows = [row for row in history if row.get("shares")]
    if not rows:
        return {}
    names = list(dict.fromkeys(name for row in rows for name in row["shares"]))
    kept = [row["shares"] for row in rows if row["epoch"] <= last] or [rows[0]["shares"]]
    step = -(-len(rows) // MOST_POINTS)
    drawn = rows[::step]
    return {
        "mean": {n: round(sum(s.get(n, 0.0) for s in kept) / len(kept), 6) for n in names},
        "curve": {
            "epoch": [row["epoch"] for row in drawn],
            **{n: [round(row["shares"].get(n, 0.0), 4) for row in drawn] for n in names},
        },
    }
