"""The cells of a what-if as aligned text: gain over the baseline by temperature and alpha."""

from __future__ import annotations

from typing import Any

from kd_core.runs.cells import grid
from kd_core.runs.outcome import Cell, read_outcome


def answered(result: dict[str, Any]) -> list[str]:
    """Say what a what-if answers about its settings, and what is left with a shuffled teacher; nothing of results of earlier versions."""
    sweep = result.get("sweep") or {}
    return [sweep[name]["line"] for name in ("answer", "shuffled") if sweep.get(name)]


def heat_map(result: dict[str, Any]) -> list[str]:
    """Draw the gain on validation rows, temperature by alpha: one table per student and further setting.

    Where only one of the two varies, a further setting takes the other's place.

    Units: points for shares, else the metric's own; `*` marks the cells that can't be told apart from the best,
    `#` the best itself, `~` one that was stopped, `-` one without a usable pair.
    """
    found = read_outcome(result)
    factor, unit = (100.0, "points of ") if found.metric.unit == "share" else (1.0, "")
    digits = 2 if factor == 100.0 else 4
    shown = list(dict.fromkeys([*found.varied, "temperature", "alpha"]))[:2]
    across, down = sorted(shown, key=grid.AXES.index)
    further = [n for n in found.varied if n not in shown]
    tables: dict[tuple[Any, ...], list[Cell]] = {}
    for cell in found.cells:
        tables.setdefault((cell.student, *(cell.settings[n] for n in further)), []).append(cell)
    lines = []
    for (student, *values), cells in tables.items():
        said = "".join(f", {grid.WORDS[n]} {v:g}" for n, v in zip(further, values, strict=True) if v is not None)
        lines += [
            f"{student}{said}: gain on validation in {unit}{found.metric.title}",
            *_table(cells, across, down, found.best_cell, factor, digits),
        ]
    number = sum(c.gain is not None for c in found.cells)
    caution = [f"The best of {number} cells is partly the luckiest: what it gains on validation flatters it."]
    return [
        *lines,
        "# best on validation   * like the best   ~ stopped   - nothing to compare",
        *(caution if number > 1 else []),
    ]


def _table(cells: list[Cell], across: str, down: str, best: int | None, factor: float, digits: int) -> list[str]:
    columns: list[Any] = sorted({v for c in cells if (v := c.settings[across]) is not None}) or [None]
    rows: list[Any] = sorted({v for c in cells if (v := c.settings[down]) is not None}) or [None]
    at = {(c.settings[down], c.settings[across]): c for c in cells}
    words = grid.WORDS[across]
    head = ["" if rows == [None] else grid.WORDS[down], *("" if v is None else f"{words} {v:g} " for v in columns)]
    body = [
        ["" if row is None else f"{row:g}", *(_cell(at.get((row, column)), best, factor, digits) for column in columns)]
        for row in rows
    ]
    widths = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]
    return ["  " + "  ".join(text.rjust(w) for text, w in zip(line, widths, strict=True)) for line in [head, *body]]


def _cell(cell: Cell | None, best: int | None, factor: float, digits: int) -> str:
    if cell is None or cell.gain is None:
        return "- "
    mark = "#" if cell.number == best else "~" if cell.stopped else "*" if cell.like_best else " "
    return f"{factor * cell.gain.mean:+.{digits}f}{mark}"
