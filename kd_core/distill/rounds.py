"""Students that learn by a procedure of their own, round by round: the lesson as slopes, and the choice of the best round.

Legend: N rows, C outputs.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kd_core.data.dataset import Array
from kd_core.distill.objective import Objective
from kd_core.errors import Stopped
from kd_core.models.base import Outputs, Rounds
from kd_core.training.loop import Notify, ShouldStop, Trained
from kd_core.training.meter import BatchTerms, non_finite
from kd_core.training.selection import Judged, Score

PROBES = 32  # second derivatives of groups are taken row by row up to so many
FLATTEST = 1e-6  # curvature: a row that is as good as learned must not divide by nothing


class Slopes:
    """An objective as gradient and curvature at all training rows, whatever its losses are: torch derives it twice."""

    def __init__(self, loss: Objective) -> None:
        loss.written = None  # a gradient written out has no derivative of its own
        self.loss, self.index = loss, torch.arange(len(loss.labels))
        self.probes = _probes(loss.groups, len(loss.labels))

    def terms(self, z_NC: Array) -> BatchTerms:
        """Return the loss of all rows with its parts."""
        with torch.no_grad():
            return self.loss(Outputs(torch.from_numpy(z_NC)), self.index)

    def __call__(self, z_NC: Array, first: int = 0) -> tuple[Array, Array]:
        """Derive every row's own loss once and twice by its logits from `first` on. Shape: (N, C) -> two of (N, C - first)."""
        z = torch.from_numpy(z_NC).requires_grad_()
        total = self.loss(Outputs(z), self.index).total
        (gradient,) = torch.autograd.grad(total, z, create_graph=True)
        # Rows do not depend on each other (losses that compare them are refused), so a column's sum has each row's own second
        # derivative as its gradient. Where a loss curves downwards, as strong a step is taken as where it curves upwards as much.
        own = range(first, z.shape[1])
        curved = [torch.stack([self._curved(gradient[:, c], z, c, one) for one in self.probes]).sum(0) for c in own]
        rows = len(z_NC)  # the loss is their mean
        curvature = (torch.stack(curved, dim=1) * rows).abs().clamp(min=FLATTEST)
        return (gradient.detach()[:, first:] * rows).numpy(), curvature.numpy()

    @staticmethod
    def _curved(gradient: Tensor, z: Tensor, c: int, probe: Tensor) -> Tensor:
        """Return the second derivatives of the rows of a probe, 0 for all others. Shape: (N,)."""
        found: Tensor = torch.autograd.grad((gradient * probe).sum(), z, retain_graph=True)[0][:, c]
        return found * probe


def _probes(groups: Tensor | None, rows: int) -> list[Tensor]:
    """Mark rows that can be derived at once: all of them, or where rows of a group are compared at most one of each group.

    Of groups of more than `PROBES` rows several are derived together. Their shares of a list are small then, and what they have in common
    is subtracted, so that a step is somewhat longer, never of the wrong sign. Shape: (N,) of 0 and 1 each.
    """
    if groups is None:
        return [torch.ones(rows)]
    codes = groups.numpy()
    order = np.argsort(codes, kind="stable")
    _, begins, sizes = np.unique(codes[order], return_index=True, return_counts=True)
    place = np.empty(rows, dtype=np.int64)
    place[order] = (np.arange(rows) - np.repeat(begins, sizes)) % PROBES
    return [torch.from_numpy((place == k).astype(np.float32)) for k in range(int(place.max()) + 1)]


def learn(
    module: nn.Module, procedure: Rounds, loss: Objective, score: Score, notify: Notify, should_stop: ShouldStop
) -> Trained:
    """Take all rounds and keep as many as were best on validation; told, selected and recorded as epochs are.

    A stop request is honoured before the next round. There is no checkpoint: a training that was cut off begins anew.
    A procedure that can't learn anything still gives its one answer for all rows.
    Errors: NonFiniteLoss; Stopped when asked to stop before the first round ended; KDError `undefined_selection`.
    """
    slopes, began = Slopes(loss), time.monotonic()
    history: list[dict[str, Any]] = []
    kept: Judged | None = None
    best, stopped = 0, False
    for number in range(1, procedure.most + 1):
        if stopped := should_stop():
            break
        before = time.monotonic()
        loss.begin(number, procedure.most)
        learned = procedure.step(slopes)
        if not learned and history:
            break
        z, z_validation = procedure.answers()
        terms = slopes.terms(z)
        if not math.isfinite(total := float(terms.total)):
            raise non_finite(number, 1, number, total)
        metrics = score(z_validation)
        judged = Judged(score.selection(metrics), score.loss(metrics))
        is_best = kept is None or judged.beats(kept, score.better)
        kept, best = (judged, number) if is_best else (kept, best)
        took = time.monotonic() - before
        row = {
            "epoch": number,
            "epochs": procedure.most,
            "loss": total,
            "hard": None if terms.hard is None else float(terms.hard),
            "soft": None if terms.soft is None else float(terms.soft),
            "score": judged.score,
            "metrics": metrics,
            "learning_rate": None,
            "rows_per_s": round(len(z) / max(took, 1e-9), 1),
            "best": is_best,
        }
        history.append({**row, "seconds": took})
        notify({"kind": "epoch", **row})
        if not learned:  # one answer for all rows is the best there is
            break
    if not history:
        raise Stopped("Stopped before the first round ended; there is nothing to keep.")
    procedure.fill(module, best)
    selected, last = history[best - 1], history[-1]
    return Trained(
        module.eval(),
        best,
        len(history),
        len(history),
        history,
        selected["metrics"],
        last["metrics"],
        selected["score"],
        last["score"],
        time.monotonic() - began,
        stopped,
    )
