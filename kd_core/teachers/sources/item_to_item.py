"""A table of which items follow which: learned by counting, in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from kd_core.data.dataset import Array
from kd_core.models.items.neighbours import CHOICES, JUDGED, Neighbours
from kd_core.specs import Spec, unit
from kd_core.task import CATALOGUE, task_of
from kd_core.teachers.base import SOURCES, FitData, FittedTeacher, Notify, ShouldStop
from kd_core.teachers.estimator import stop_if_asked
from kd_core.teachers.fitting import from_fit

HELD_OUT = 0.25  # rows left out of a fit of one of five folds, as a share of those in it
COUNTED, ANSWERED = 1e-5, 8e-9  # seconds per row counted, and per row answered and item


class ItemToItemSpec(Spec):
    """How much is kept."""

    neighbours: int = Field(
        100,
        ge=0,
        le=10_000,
        description="Items kept that follow an item, the strongest first; 0 answers by popularity alone.",
        json_schema_extra=unit("items"),
    )


@dataclass(frozen=True)
class FittedItems:
    """What follows what, as a teacher that answers in short form."""

    table: Neighbours
    backwards: float
    task: str
    rows: int

    def logits(self, x: Array) -> Array:
        return self.table.answers(x, task_of(self.task).kept)

    def num_parameters(self) -> int:
        return self.table.numbers

    def size_bytes(self) -> int:
        return self.table.bytes

    def module(self) -> None:
        return None

    def details(self) -> dict[str, Any]:
        chosen = {"backwards": self.backwards, "share": self.table.share}
        return {"rules": int(self.table.rules.nnz), "rows": self.rows, "again": self.table.again, **chosen}


def seconds(spec: ItemToItemSpec, rows: int, features: int, outputs: int) -> float:
    """Estimate counting and answering: answers go over the whole catalogue, to the rows left out of a fit and, per choice, to some others."""
    answered = HELD_OUT * rows + len(CHOICES) * min(JUDGED, rows)
    return 0.5 + COUNTED * rows + ANSWERED * answered * outputs


@SOURCES.register(
    "item_to_item",
    title="Item to item",
    spec=ItemToItemSpec,
    source="sequential rules, arXiv:1803.09587",
    tasks=CATALOGUE,
    takes=("sequence",),
    needs=("several_folds",),
    gives=frozenset({"logits"}),
    family="classic",
    seconds=seconds,
)
@from_fit
def fit(spec: ItemToItemSpec, data: FitData, seed: int, notify: Notify, should_stop: ShouldStop) -> FittedTeacher:
    """Count what came next in the training rows; validation rows choose how much the way back and popularity count. Errors: Stopped."""
    stop_if_asked(should_stop)
    asked = (data.x_validation, data.y_validation)
    table, backwards = Neighbours.chosen((data.x, data.y), asked, data.num_outputs, spec.neighbours)
    return FittedItems(table, backwards, data.task, len(data.y))
