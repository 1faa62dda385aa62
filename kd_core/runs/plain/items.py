"""The plain models beside students that say which item comes next: popularity, and tables of what follows what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kd_core.data.dataset import Array, Dataset
from kd_core.models.items.neighbours import Neighbours
from kd_core.runs import assessment
from kd_core.specs import Choice
from kd_core.task import task_of

TABLES = (0, 3, 10, 30, 100)  # neighbours kept of an item
VIEW = "sequence"
_POPULAR = "popularity", "popularity: the most frequent items for everybody"
SOURCE = "item_to_item"  # the teacher of this kind


@dataclass(frozen=True)
class ItemReference:
    """One plain model. `selected`: its validation score. It learns without a seed, so that all of its seeds answer alike."""

    name: str
    title: str
    table: Neighbours
    names_bytes: int
    selected: float

    @property
    def bytes(self) -> int:
        """Count the bytes of its table, with the names of the items, which a student's file holds as well."""
        return self.table.bytes + self.names_bytes

    def told(self) -> dict[str, Any]:
        """Return what result.json says of it."""
        arch = Choice(name=SOURCE, settings={"neighbours": self.neighbours})
        told = arch.model_dump(mode="json")
        return {"name": self.name, "title": self.title, "arch": told, "bytes": self.bytes, "selected": self.selected}

    def times(self, dataset: Dataset) -> dict[str, Any]:
        """Return nothing: it has no file whose answers could be timed."""
        return {}

    @property
    def neighbours(self) -> int:
        """Return how many neighbours of an item it keeps at most."""
        return 0 if self.name == _POPULAR[0] else int(self.name.rpartition("_")[2])


class ItemReferences:
    """The plain models of a run, learned by counting; nothing of them is written to files."""

    def __init__(self, dataset: Dataset, metric: str, better: str) -> None:
        self.dataset, self.metric, self.better = dataset, metric, better
        self.known: list[ItemReference] = []
        self.missing: list[dict[str, str]] = []

    def learn(self, students: Sequence[tuple[Choice, int]], shorten: bool = False) -> None:
        """Learn all of the list; `students` and `shorten` are for lists that learn longer."""
        names = sum(len(name.encode()) + 1 for name in self.dataset.classes)
        for most in TABLES:
            table = self._learned(most)
            name, title = (f"neighbours_{most}", f"a table of {most} followers of each item") if most else _POPULAR
            score = assessment.score(self.dataset, "validation", self._answers(table, "validation"), self.metric)
            if score is not None:
                self.known.append(ItemReference(name, title, table, names, score))

    def _learned(self, most: int) -> Neighbours:
        rows = self.dataset.view(VIEW).parts["train"]
        return Neighbours.learn(rows, self.dataset.train.y, self.dataset.num_outputs, most)

    def _answers(self, table: Neighbours, split: Any) -> Array:
        return table.answers(self.dataset.view(VIEW).parts[split], task_of(self.dataset.task).kept)

    def of_size(self, student: Choice, most: int) -> ItemReference | None:
        """Return the best on validation among those of at most so many bytes, None where none is as small."""
        return max((r for r in self.known if r.bytes <= most), key=lambda r: self.rank(r.selected), default=None)

    def smallest_within(self, student: Choice, score: float, margin: float) -> ItemReference | None:
        """Return the smallest that is on validation at most the margin behind a score, None where all are further."""
        near = [r for r in self.known if self.rank(r.selected) >= self.rank(score) - margin]
        return min(near, key=lambda r: r.bytes, default=None)

    def rank(self, score: float) -> float:
        """Turn a score so that higher is better."""
        return score if self.better == "higher" else -score

    def test_logits(self, reference: ItemReference, seeds: Sequence[int]) -> list[Array]:
        """Answer the test rows, the same for every seed. Shape: one (N, W) per seed."""
        return [self._answers(reference.table, "test")] * len(seeds)
