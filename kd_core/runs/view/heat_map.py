"""The cells of a what-if as aligned text: gain over the baseline by temperature and alpha."""

from __future__ import annotations

from typing import Any

from kd_core.runs.cells import grid


def heat_map(result: dict[str, Any]) -> list[str]:
    """Draw the gain on validation rows, temperature by alpha: one table per student and further setting.

    Where only one of the two varies, a further setting takes the other's place.

    Units: points for shares, else the metric's own; `*` marks the cells that can't be told apart from the best,
    `#` the best itself, `~` one that was stopped, `-` one without a usable pair.
    """
    sweep, metric = result["sweep"], result["metric"]
    factor, unit = (100.0, "points of ") if metric["unit"] == "share" else (1.0, "")
    digits = 2 if factor == 100.0 else 4
    several = [n for n in grid.AXES if len(sweep["axes"][n]) > 1]
    shown = list(dict.fromkeys([*several, "temperature", "alpha"]))[:2]
    across, down = sorted(shown, key=grid.AXES.index)
    further = [n for n in several if n not in shown]
    tables: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for cell in sweep["cells"]:
        tables.setdefault((cell["student"], *(cell[n] for n in further)), []).append(cell)
    lines = []
    for (student, *values), cells in tables.items():
        said = "".join(f", {grid.WORDS[n]} {v:g}" for n, v in zip(further, values, strict=True) if v is not None)
        lines += [
            f"{student}{said}: gain on validation in {unit}{metric['title']}",
            *_table(cells, across, down, sweep["best"], factor, digits),
        ]
    number = sum(c["gain"]["mean"] is not None for c in sweep["cells"])
    caution = [f"The best of {number} cells is partly the luckiest: what it gains on validation flatters it."]
    return [
        *lines,
        "# best on validation   * like the best   ~ stopped   - nothing to compare",
        *(caution if number > 1 else []),
    ]


def _table(cells: list[dict[str, Any]], across: str, down: str, best: int, factor: float, digits: int) -> list[str]:
    columns = sorted({c[across] for c in cells if c[across] is not None}) or [None]
    rows = sorted({c[down] for c in cells if c[down] is not None}) or [None]
    at = {(c[down], c[across]): c for c in cells}
    words = grid.WORDS[across]
    head = ["" if rows == [None] else grid.WORDS[down], *("" if v is None else f"{words} {v:g} " for v in columns)]
    body = [
        ["" if row is None else f"{row:g}", *(_cell(at.get((row, column)), best, factor, digits) for column in columns)]
        for row in rows
    ]
    widths = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]
    return ["  " + "  ".join(text.rjust(w) for text, w in zip(line, widths, strict=True)) for line in [head, *body]]


def _cell(cell: dict[str, Any] | None, best: int, factor: float, digits: int) -> str:
    if cell is None or cell["gain"]["mean"] is None:
        return "- "
    mark = "#" if cell["cell"] == best else "~" if cell["stopped"] else "*" if cell["like_best"] else " "
    return f"{factor * cell['gain']['mean']:+.{digits}f}{mark}"
