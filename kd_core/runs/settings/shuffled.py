"""The same grid with a shuffled teacher: what is left of a gain when every row hears what the teacher said of another row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kd_core.evaluate.intervals import compare
from kd_core.runs.cells.cell_scores import CellScores, Judge, Score
from kd_core.runs.cells.grid import label
from kd_core.runs.settings.sentence import Unit

Told = dict[str, Any]
WHY_ANOTHER = "It is not about alpha 1, which scored higher: there no label is heard, so a shuffled student has nothing right to learn from."


def told(
    scores: Sequence[CellScores],
    shuffled: Mapping[int, Sequence[Score | None]],
    seeds: Sequence[int],
    judge: Judge,
    unit: Unit,
    students: Sequence[str] = (),
) -> Told | None:
    """Tell each taught cell's scores with a shuffled teacher, its gain over the baseline, and what the teacher's own order is worth beyond it.

    `shuffled`: by cell, seed by seed. All is on validation rows, paired over seeds; None where nothing was shuffled. `line` is about the best
    taught cell in which labels are heard, too: without them a shuffled student has nothing right to learn from. `students`: their names, where
    there are several. Units: the metric's; above 0 is better.
    """
    rows: list[Told] = []
    for one in scores:
        usable = {
            n: s.value
            for n, s in zip(seeds, shuffled[one.cell.index], strict=True)
            if s and s.usable and s.value is not None
        }
        if not usable or one.cell.alpha == 0:
            continue
        alone = {n: b for n, b in zip(one.seeds, one.baseline, strict=True) if b is not None}
        own = dict(zip(one.seeds, one.scores, strict=True))
        rows.append(
            {
                "cell": one.cell.index,
                "seeds": list(usable),
                "scores": list(usable.values()),
                "mean": float(np.mean(list(usable.values()))),
                "gain": _gain(usable, alone, judge),
                "teacher": _gain(own, usable, judge),
            }
        )
    if not rows:
        return None
    sign = 1.0 if judge.better == "higher" else -1.0
    means = {s.cell.index: sign * s.mean for s in scores if s.mean is not None}
    cells = {s.cell.index: s.cell for s in scores}
    labelled = [r for r in rows if cells[r["cell"]].alpha not in (None, 1)] or rows
    best = max(labelled, key=lambda r: (means.get(r["cell"], -np.inf), -r["cell"]))
    cell = cells[best["cell"]]
    name = label(cell) if len(students) < 2 else ", ".join(filter(None, (students[cell.student], label(cell))))
    said = line(
        name or "the best taught setting", best, _own_gain(scores, cell.index, judge), unit, alone=cell.alpha == 1
    )
    if any(
        cells[r["cell"]].alpha == 1 and means.get(r["cell"], -np.inf) > means.get(cell.index, -np.inf) for r in rows
    ):
        said += f" {WHY_ANOTHER}"
    return {"cells": rows, "best": best["cell"], "line": said}


def line(name: str, found: Told, own: Told, unit: Unit, *, alone: bool = False) -> str:
    """Say in one sentence what is left of a setting's gain; `alone`: no label is heard there."""
    if found["teacher"]["mean"] is None or found["gain"]["mean"] is None or own["mean"] is None:
        return "The best taught setting shares no seed with its shuffled twin."
    low = found["teacher"]["ci95"][0]
    moral = "not clear yet" if low is None or low <= 0 else "what the teacher knows of each row"
    left, kept, rest = (_signed(gain, unit) for gain in (found["gain"], own, found["teacher"]))
    said = (
        f"With {name} a student gains {kept} over its baseline when every row hears what the teacher said of it, and {left} when it hears what "
        f"the teacher said of another row: the difference, {rest}, is {moral}"
    )
    return (
        f"{said}; as no label is heard there, the second student had nothing right to learn from."
        if alone
        else f"{said}."
    )


def _own_gain(scores: Sequence[CellScores], cell: int, judge: Judge) -> Told:
    one = next(s for s in scores if s.cell.index == cell)
    ours, theirs = one.paired
    return _told(ours, theirs, judge)


def _gain(first: Mapping[int, float], second: Mapping[int, float], judge: Judge) -> Told:
    both = [n for n in first if n in second]
    return _told([first[n] for n in both], [second[n] for n in both], judge)


def _told(first: Sequence[float], second: Sequence[float], judge: Judge) -> Told:
    if not first:
        return {"mean": None, "ci95": [None, None], "n": 0}
    found = compare.paired(first, second, judge.better)
    return {"mean": found.mean, "ci95": [found.low, found.high], "n": found.n}


def _signed(gain: Told, unit: Unit) -> str:
    low, high = gain["ci95"]
    digits = unit.digits(gain["mean"] if low is None else high - gain["mean"], gain["mean"])
    mean = f"{unit.written(gain['mean'], digits, '+')} {unit.name}"
    return mean if low is None else f"{mean} [{unit.written(low, digits, '+')}, {unit.written(high, digits, '+')}]"
