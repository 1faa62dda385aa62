"""How many names of category values a file may hold: the commonest of every column, so many that all fit into a number of bytes.

A column with many values is encoded by tables of names, which take most of a small student's file. Names that are left out are read
as any name never seen. Which are kept follows from the training rows' counts; no target is looked at.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NAME = 5  # bytes of a name in a file beside its letters: two that begin it, two of its place in a table, one of rows there (online_retail)
Label = tuple[Sequence[str], int]  # every way to write a value, and how many training rows hold it


@dataclass(frozen=True)
class Vocabulary:
    """What a shortened view knows: per column how many names of how many. `bytes` of the names, and `of_bytes` of all."""

    columns: Mapping[str, tuple[int, int]]
    bytes: int
    of_bytes: int

    def told(self) -> dict[str, Any]:
        """Return what result.json says of it."""
        kept = {name: list(counts) for name, counts in self.columns.items()}
        return {"columns": kept, "bytes": self.bytes, "of_bytes": self.of_bytes}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Vocabulary:
        """Read what `told` returned. Errors: KeyError, TypeError, ValueError."""
        columns = {str(name): (int(kept), int(of)) for name, (kept, of) in told["columns"].items()}
        return cls(columns, int(told["bytes"]), int(told["of_bytes"]))


def name_bytes(names: Iterable[str]) -> int:
    """Count what names take in a file. Example: `name_bytes(["Rome"])` is 9."""
    return sum(len(name.encode()) + NAME for name in names)


def commonest(columns: Mapping[str, Sequence[Label]], most: int) -> dict[str, int]:
    """Say of every column how many of its values, the commonest first, are kept in at most so many bytes.

    Where one more name would be known, it is that of the column whose next one stands for most training rows a byte, so that short
    codes go before long descriptions of the same things. Shape: per column its values in the order in which they are kept.
    """
    kept, left = dict.fromkeys(columns, 0), most
    waiting: list[tuple[float, int, str]] = []

    def offer(order: int, name: str) -> None:
        if kept[name] < len(columns[name]):
            names, rows = columns[name][kept[name]]
            heapq.heappush(waiting, (-rows / name_bytes(names), order, name))

    for order, name in enumerate(columns):
        offer(order, name)
    while waiting:
        _, order, name = heapq.heappop(waiting)
        needed = name_bytes(columns[name][kept[name]][0])
        if needed <= left:  # else the column ends here: a rarer name before a commoner one would be hard to tell
            left -= needed
            kept[name] += 1
            offer(order, name)
    return kept


def vocabulary(columns: Mapping[str, Sequence[Label]], kept: Mapping[str, int]) -> Vocabulary:
    """Sum up what was kept of every column."""

    def size(counts: Mapping[str, int]) -> int:
        return sum(name_bytes(names) for name, n in counts.items() for names, _ in columns[name][:n])

    every = {name: len(labels) for name, labels in columns.items()}
    return Vocabulary({name: (kept[name], n) for name, n in every.items()}, size(kept), size(every))
