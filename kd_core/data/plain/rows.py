"""Raw rows sorted into columns and read: dicts by column name, or lists in the order of the columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from kd_core.data.plain.cell import is_number, plain, reader
from kd_core.data.plain.counted import plural
from kd_core.data.types.cells import kind_of

Array = Any  # a numpy array; its package has types of its own only where it is checked
_MANY = (list, tuple, set, dict, np.ndarray)
_SHOWN = 20  # names in a message


class UnfitRows(ValueError):
    """Rows that can't be answered, with the reason."""


class Rows:
    """Reads rows by the rules of known columns. Legend: N rows."""

    def __init__(self, rules: Mapping[str, Mapping[str, Any]]) -> None:
        self.rules = {name: {"kind": "number", **rule} for name, rule in rules.items()}
        self._read = {name: reader(rule) for name, rule in self.rules.items() if rule["kind"] != "picture"}

    def columns(self, rows: Iterable[Any]) -> tuple[dict[str, list[Any]], tuple[str, ...]]:
        """Return the cells of each column as they are, and what a person should be told. Errors: UnfitRows."""
        names = list(self.rules)
        told = [self._row(row, number) for number, row in enumerate([rows] if isinstance(rows, Mapping) else rows, 1)]
        for number, row in enumerate(told, 1):
            if lacking := [name for name in names if name not in row]:
                given = ", ".join(map(str, list(row)[:_SHOWN])) or "none"
                raise UnfitRows(
                    f"Row {number:,}: {plural(len(lacking), 'column is', 'columns are')} missing: {', '.join(lacking)}. Given: {given}. "
                    "Give every column; leave a cell empty where a value is missing."
                )
            for name in names:
                if isinstance(row[name], _MANY):
                    raise UnfitRows(
                        f"Row {number:,} holds a {type(row[name]).__name__} under '{name}'; a cell is one value."
                    )
        more = dict.fromkeys(str(name) for row in told for name in row if name not in self.rules)
        said = (
            (f"{plural(len(more), 'column is', 'columns are')} not used: {', '.join(list(more)[:_SHOWN])}",)
            if more
            else ()
        )
        return {name: [row[name] for row in told] for name in names}, said

    def _row(self, row: Any, number: int) -> Mapping[str, Any]:
        if isinstance(row, Mapping):
            return row
        names = list(self.rules)
        if isinstance(row, str | bytes) or not isinstance(row, Sequence) or len(row) != len(names):
            raise UnfitRows(
                f"Row {number:,} is neither a dict by column name nor a list of {len(names)} values: {', '.join(names)}."
            )
        return dict(zip(names, row, strict=True))

    def read(self, rows: Iterable[Any]) -> tuple[dict[str, Array], tuple[str, ...]]:
        """Return the columns but for pictures, read, and what a person should be told. Shape: N rows -> (N, 1) per column."""
        given, said = self.columns(rows)
        found, lost = self.typed(given)
        return found, (*said, *lost)

    def typed(self, given: Mapping[str, Sequence[Any]]) -> tuple[dict[str, Array], tuple[str, ...]]:
        """Read cells by column. Shape: N cells -> (N, 1) per column."""
        found, said = {}, []
        for name, read in self._read.items():
            if name not in given:
                continue
            rule, values = self.rules[name], [read(cell) for cell in given[name]]
            numeric = is_number(rule) or rule["kind"] == "datetime"
            found[name] = np.array(values, np.float64 if numeric else object).reshape(-1, 1)
            if numeric:
                odd = [cell for cell, value in zip(given[name], values, strict=True) if value != value and _meant(cell)]
                if odd:
                    what = "a time" if rule["kind"] == "datetime" else "a number"
                    said.append(
                        f"{plural(len(odd), 'value')} of {name} could not be read as {what} and counted as missing, first {str(odd[0])[:60]!r}."
                    )
        return found, tuple(said)


def _meant(cell: Any) -> bool:
    """Say whether a cell was to hold something."""
    cell = plain(cell)
    return cell is not None and cell == cell and kind_of(str(cell)) != "missing"
