"""A teacher's own network beside the student: for losses that hear more of each batch than can be kept of all rows.

It answers in evaluation mode, without gradients, what it finds inside of the very rows of a batch: maps of all bands, or what words ask of
each other. Nothing of it is kept, so memory is that of a batch. It is the fit that answers validation and test rows, and it knows
the training rows.
Legend: N training rows, B rows of a batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from kd_core.data.dataset import Array, Dataset
from kd_core.errors import KDError
from kd_core.models.base import ShowsMaps, ShowsRelations
from kd_core.models.building import build
from kd_core.specs import Choice
from kd_core.teachers.base import network_of, teacher_view
from kd_core.training.rows import RowReader, open_rows


def network_again(teacher: Choice, dataset: Dataset, weights: Mapping[str, Array]) -> nn.Module:
    """Make the network of a teacher again of its weights, in evaluation mode.

    Errors: KDError `reuse_no_weights` where it handed on none; UnknownName, SpecError.
    """
    if not weights:
        raise KDError(
            "The teacher '{name}' handed on no weights.",
            "Take a teacher that is a network trained here.",
            "reuse_no_weights",
            name=teacher.name,
        )
    kind = teacher_view(teacher, dataset.views.kinds)
    assert kind is not None
    with torch.device("meta"):  # no start weights are drawn
        made = build(network_of(teacher), dataset.view(kind).spec, dataset.num_outputs, dataset.task)
    made.load_state_dict({name: torch.tensor(table) for name, table in weights.items()}, assign=True)
    return made.eval()


@dataclass
class LiveTeacher:
    """A frozen network and the training rows as it reads them. `order`: which row it is asked about in the place of each, as a placebo.

    Shape: rows (N, ...), order (N,) or None.
    """

    network: nn.Module
    rows: Any
    order: Array | None = None
    _reader: RowReader | None = field(default=None, repr=False)
    _device: torch.device | None = field(default=None, repr=False)

    @classmethod
    def of(cls, teacher: Choice, dataset: Dataset, weights: Mapping[str, Array]) -> LiveTeacher:
        """Make it of the weights that the teacher handed on. Errors: as `network_again`."""
        network = network_again(teacher, dataset, weights)
        kind = teacher_view(teacher, dataset.views.kinds)
        assert kind is not None
        return cls(network, dataset.view(kind).parts["train"])

    def gives(self) -> frozenset[str]:
        """Say what it shows of its inside, as a `Situation` names it."""
        found = {"learning"}
        found |= {"maps"} if isinstance(self.network, ShowsMaps) else set()
        return frozenset(found | ({"relations"} if isinstance(self.network, ShowsRelations) else set()))

    def asked_in(self, order: Array) -> LiveTeacher:
        """Return the same teacher, asked about other rows. Shape: order (N,)."""
        return LiveTeacher(self.network, self.rows, order)

    def __call__(self, index: Tensor) -> dict[str, Tensor]:
        """Say what it finds inside of some rows, by name. Shape: index (B,) -> (B, ...) each."""
        if self._reader is None or self._device != index.device:
            self.network.to(index.device).eval().requires_grad_(False)
            self._reader, self._device = open_rows(self.rows, index.device), index.device
        at = index if self.order is None else torch.from_numpy(self.order).to(index.device)[index]
        show(self.network, maps=True, relations=True)
        with torch.no_grad():
            return dict(self.network(self._reader.take(at)).hidden)


def show(network: nn.Module, *, maps: bool = False, relations: bool = False) -> None:
    """Tell a network what to show of its inside; one that can't stays as it is."""
    if isinstance(network, ShowsMaps):
        network.shows_maps = maps
    if isinstance(network, ShowsRelations):
        network.shows_relations = relations
