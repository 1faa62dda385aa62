"""Histories of items as rows of numbers: the newest last, filled up on the left with 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kd_core.data.plain.counted import plural


def items_of(cell: str, separator: str = " ") -> list[str]:
    """Take a cell apart into its items, the oldest first; a space stands for white space of any kind and length.

    Example: `items_of("shoe, sock", ",")` is `["shoe", "sock"]`.
    """
    if separator in ("", " "):
        return cell.split()
    return [item for part in cell.split(separator) if (item := part.strip())]


def numbers_of(items: Sequence[str]) -> dict[str, int]:
    """Number a catalogue from 1."""
    return {item: number for number, item in enumerate(items, 1)}


def numbered(
    cells: Sequence[str], separator: str, numbers: Mapping[str, int], length: int
) -> tuple[npt.NDArray[np.int32], list[str]]:
    """Number the newest items of each history; those that are in no catalogue are skipped, and returned.

    Shape: N cells -> (N, length) int32, 0 on the left where a history is shorter.
    """
    x = np.zeros((len(cells), length), np.int32)
    unknown: list[str] = []
    for row, cell in enumerate(cells):
        items = items_of(cell, separator)
        found = [number for item in items if (number := numbers.get(item))]
        if len(found) < len(items):
            unknown += [item for item in items if item not in numbers]
        if found:
            newest = found[-length:]
            x[row, length - len(newest) :] = newest
    return x, unknown


def skipped(unknown: Sequence[str], column: str) -> tuple[str, ...]:
    """Say which items were skipped; nothing where none was."""
    if not unknown:
        return ()
    are, were = ("is", "was") if len(unknown) == 1 else ("are", "were")
    many = plural(len(unknown), "item")
    return (f"{many} of {column} {are} in no training row and {were} skipped, first {unknown[0][:60]!r}.",)


def without_catalogue(columns: Mapping[str, Mapping[str, Any]], classes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Leave out a catalogue that is the classes: a file holds thousands of names once."""
    told = {name: dict(rule) for name, rule in columns.items()}
    for rule in told.values():
        if rule.get("catalogue") and list(rule["catalogue"]) == list(classes):
            del rule["catalogue"]
    return told


def with_catalogue(columns: Mapping[str, Mapping[str, Any]], classes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Put back what `without_catalogue` left out."""
    return {
        name: {**rule, "catalogue": list(classes)}
        if rule.get("kind") == "items" and "catalogue" not in rule
        else dict(rule)
        for name, rule in columns.items()
    }
