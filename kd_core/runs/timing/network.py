"""A network behind the view that reads its rows: raw rows in, answers out, on torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from kd_core.data.dataset import Array
from kd_core.data.encoding.one_row import OneRow
from kd_core.data.types.row_reader import RowReader
from kd_core.data.view import View
from kd_core.export.purpose import Purpose
from kd_core.models.building import reopened

Logits = Callable[[Tensor], Tensor]


class Logit(nn.Module):
    """Only the logits: what is deployed has no use for features or members."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        """Answer encoded rows. Shape: (N, ...) -> (N, C)."""
        logits: Tensor = self.module(x).logits
        return logits


class Network:
    """Rows are read as the app reads them when torch answers: one alone quickly, several as a table."""

    def __init__(self, view: View, module: nn.Module, purpose: Purpose) -> None:
        self.view, self.module, self.purpose = view, module.eval(), purpose
        self.reader = RowReader(view.types)
        self.one_row = OneRow.of(getattr(view, "blocks", {"": None}), view.types)

    @classmethod
    def again(cls, entry: Mapping[str, Any], learned: Mapping[str, bytes], weights: bytes, purpose: Purpose) -> Network:
        """Make it of what a run kept. Errors: as `building.reopened`."""
        outputs = purpose.task.num_outputs(len(purpose.classes))
        return cls(*reopened(entry, learned, weights, purpose.task.name, outputs), purpose)

    def read(self, rows: Any) -> Array:
        """Read raw rows. Shape: a dict or N of them -> (N, ...)."""
        if self.one_row is not None and type(rows) is dict and (read := self.reader.one(rows)) is not None:
            alone: Array = self.one_row.encode(read[0])
            return alone
        several: Array = self.view.read(rows)[0]
        return several

    def answers(self, rows: Any, logits: Logits, device: torch.device) -> Array:
        """Answer raw rows by the network's `logits` on a device; returns when the answer is here. Shape: N -> (N, W)."""
        z = logits(torch.from_numpy(self.read(rows)).to(device)).cpu().numpy()
        return self.purpose.task.table(z, self.purpose.mean, self.purpose.std)
