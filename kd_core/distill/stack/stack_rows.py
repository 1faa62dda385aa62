"""The rows that stacks read: brought to the device once for every view, and handed to all stacks that read them so."""

from __future__ import annotations

import torch

from kd_core.data.dataset import Array
from kd_core.data.view import Viewed
from kd_core.training.rows import RowReader, is_mapped, open_rows


class StackRows:
    """Opened rows by view and number format."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._opened: dict[tuple[str, int, torch.dtype], tuple[RowReader, torch.Tensor, Array | torch.Tensor]] = {}

    def open(self, rows: Viewed, dtype: torch.dtype, num_bytes_reserved: int) -> tuple[RowReader, torch.Tensor]:
        """Return the training rows and the validation rows of a view; streamed training rows get a reader for each call."""
        key = rows.reading, len(rows.parts["train"]), dtype  # made rows may follow the training rows
        if key not in self._opened:
            x, x_validation = rows.parts["train"], rows.parts["validation"]
            held = x if is_mapped(x) else torch.from_numpy(x).to(dtype)
            reader = open_rows(held, self.device, num_bytes_reserved=num_bytes_reserved)
            self._opened[key] = reader, torch.from_numpy(x_validation).to(self.device), held
        reader, x_validation, held = self._opened[key]
        return (open_rows(held, self.device) if reader.kind == "streamed" else reader), x_validation
