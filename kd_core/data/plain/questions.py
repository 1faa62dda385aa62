"""What a model's numbers say: which columns answer which question, and what a person reads there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

CLASSES, LABELS, NUMBER, FIRST = "classes", "labels", "number", "first"
YES = 0.5  # of a label, from which a row has it


class Question:
    """One target: the name of what is asked, its kind, and its columns from `start` to `end`; `names` of its classes or labels.

    `threshold`: probability of the second of two classes from which on it is the answer; None: the likeliest class is.

    Kinds: `classes`, shares of which one is right; `labels`, a share for each by itself; `number`, a value in its unit; `first`, the
    likeliest of very many classes: their places among `names`, the likeliest first, and then their shares.
    """

    def __init__(
        self, name: str, kind: str, start: int, end: int, names: Sequence[str] = (), threshold: float | None = None
    ) -> None:
        self.name, self.kind, self.start, self.end, self.names = name, kind, start, end, tuple(names)
        self.threshold = threshold

    def told(self) -> list[Any]:
        """Write it as a file's facts have it; very many classes stand there once."""
        more = [] if self.threshold is None else [self.threshold]
        return [self.name, self.kind, self.start, self.end, [] if self.kind == FIRST else list(self.names), *more]

    def picked(self, own: Any) -> Any:
        """Pick each row's class. Shape: (N, C) -> (N,)."""
        return own.argmax(axis=1) if self.threshold is None else (own[:, 1] >= self.threshold).astype(np.int64)

    def answer(self, row: Sequence[float]) -> Any:
        """Return the likeliest class, the labels that the row has, or the number."""
        own = list(row[self.start : self.end])
        if self.kind == FIRST:
            return self.names[int(own[0])]
        if self.kind == CLASSES:
            return self.names[int(self.picked(np.asarray([own]))[0])]
        return (
            [name for name, share in zip(self.names, own, strict=True) if share >= YES]
            if self.kind == LABELS
            else own[0]
        )

    def truth(self, label: Any) -> Any:
        """Return what a label says, in the form of `answer`; None where it is not known. Shape: one label, or 0 and 1 of each name."""
        if self.kind == LABELS:
            return [name for name, yes in zip(self.names, label, strict=True) if yes]
        if np.isnan(label) or (self.kind == FIRST and label < 0):
            return None
        return self.names[int(label)] if self.kind in (CLASSES, FIRST) else float(label)

    def shares(self, row: Sequence[float]) -> dict[str, float]:
        """Return every class's or label's share, or those of the likeliest classes; none of a number."""
        if self.kind == FIRST:
            places, shares = np.split(np.asarray(row[self.start : self.end]), 2)
            return {self.names[int(at)]: float(share) for at, share in zip(places, shares, strict=True)}
        return dict(zip(self.names, row[self.start : self.end], strict=True)) if self.kind != NUMBER else {}

    def columns(self, found: Any) -> dict[str, Any]:
        """Return the answer's own columns: one, or one of 0 and 1 for each label. Shape: (N, W) -> (N,) each."""
        own = found[:, self.start : self.end]
        if self.kind == CLASSES:
            return {self.name: np.array(self.names, dtype=object)[self.picked(own)]}
        if self.kind == FIRST:
            names = np.array(self.names, dtype=object)
            places, shares = np.split(own, 2, axis=1)
            items = {f"item_{at}": names[column] for at, column in enumerate(places.T.astype(np.int64), 1)}
            return items | {f"p_{at}": column for at, column in enumerate(shares.T, 1)}
        if self.kind == LABELS:
            return {name: (own[:, at] >= YES).astype(np.int64) for at, name in enumerate(self.names)}
        return {self.name: own[:, 0]}


class Questions:
    """All that a model answers of a row. Legend: N rows, W numbers of each."""

    def __init__(self, every: Sequence[Question]) -> None:
        self.every = tuple(every)
        taken = {name for one in every for name in ([one.name] if one.kind != LABELS else one.names)}
        self._names: list[tuple[str, ...]] = []
        for one in every:
            before = f"{one.name}: " if len(every) > 1 else ""
            own = [_free(f"p_{before}{name}", taken) for name in one.names] if one.kind != FIRST else []
            self._names.append(tuple(own))

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Questions:
        """Read what a file's facts say: `answers`, or one target with its classes, or a number."""
        if "answers" in facts:
            return cls([_told(one, facts["classes"]) for one in facts["answers"]])
        names = facts["classes"]
        kind, threshold = CLASSES if names else NUMBER, facts.get("threshold")
        return cls([Question(facts["target"], kind, 0, len(names) or 1, names, threshold)])

    @property
    def one(self) -> Question | None:
        """The only question of classes or of a number; None where there is more to answer."""
        return self.every[0] if len(self.every) == 1 and self.every[0].kind not in (LABELS, FIRST) else None

    @property
    def width(self) -> int:
        """Count the numbers of a row."""
        return self.every[-1].end

    @property
    def target(self) -> str:
        """Name what is predicted, in one line."""
        return ", ".join(one.name for one in self.every)

    def answer(self, row: Sequence[float]) -> Any:
        """Return a row's answer, of several targets one by name."""
        if len(self.every) == 1:
            return self.every[0].answer(row)
        return {one.name: one.answer(row) for one in self.every}

    def truth(self, label: Any) -> Any:
        """Return what a row's label says, in the form of `answer`. Shape: a label, or (T,) of several targets."""
        if len(self.every) == 1:
            return self.every[0].truth(label)
        return {one.name: one.truth(own) for one, own in zip(self.every, label, strict=True)}

    def shares(self, row: Sequence[float]) -> dict[str, Any]:
        """Return the shares of a row, of several targets those of each by its name; none of numbers."""
        if len(self.every) == 1:
            return dict(self.every[0].shares(row))
        return {one.name: one.shares(row) for one in self.every if one.kind != NUMBER}

    def columns(self, found: Any) -> dict[str, Any]:
        """Return a table's columns by name: answers first, question by question, each with its shares. Shape: (N, W) -> (N,) each."""
        named: dict[str, Any] = {}
        for one, names in zip(self.every, self._names, strict=True):
            named |= one.columns(found)
            if one.kind != NUMBER:
                named |= {name: found[:, one.start + at] for at, name in enumerate(names)}
        return named

    def named(self, row: Sequence[float]) -> dict[str, Any]:
        """Name one row's numbers, as `columns` does."""
        found = self.columns(np.asarray([row]))
        return {name: column[0].item() if hasattr(column[0], "item") else column[0] for name, column in found.items()}


def _told(one: Sequence[Any], classes: Sequence[str]) -> Question:
    """Read what `Question.told` wrote; the names of thousands of classes stand with the file."""
    name, kind, start, end, names, *more = one
    return Question(name, kind, start, end, classes if kind == FIRST else names, *more)


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name
