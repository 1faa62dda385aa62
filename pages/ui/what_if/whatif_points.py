"""The cells of a what-if as points of a chart: best score over size, score against cost. No drawing here."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pages.ui.charts.spread import bounds
from pages.ui.goals.candidates import WRITTEN, Candidate
from pages.ui.result import differences
from pages.ui.shared import engine, text
from pages.ui.shared.text import escape, t
from pages.ui.what_if import whatif_words
from pages.ui.what_if.whatif_cells import Grid

COLUMN = {"size": "size_bytes", "latency": "latency_ms", "parameters": "parameters"}  # where a cell says its cost


def size_points(grid: Grid) -> dict[str, list[dict[str, Any]]]:
    """Best cell and baseline of every student over its parameters, with the 95 % interval over seeds."""
    arms: dict[str, list[dict[str, Any]]] = {"baseline": [], "student": []}
    title = escape(differences.metric_title(grid.metric))
    best = grid.judged[grid.judged.index.isin(grid.best_of.values()) & grid.judged["parameters"].gt(0).fillna(False)]
    for c in grid.each(best.sort_values("parameters", kind="stable")):
        said = {"baseline": t("runs.arm.baseline"), "student": escape(whatif_words.setting_words(grid, c))}
        for arm, scores in (("baseline", c.baseline), ("student", c.scores)):
            known = [v for v in scores if v is not None]
            if known:
                mean, (low, high) = sum(known) / len(known), bounds(known, grid.metric)
                score = text.score(mean) + ("" if low is None else f" [{text.score(low)}, {text.score(high)}]")
                weights = t("what_if.size.weights", value=text.number(c.parameters))
                hover = f"<b>{escape(c.student)}</b> · {said[arm]}<br>{title} {score}<br>{weights}"
                point = {"label": c.student, "x": c.parameters, "y": mean, "low": low, "high": high, "hover": hover}
                arms[arm].append(point)
    return arms


def front_points(grid: Grid, by: str) -> list[dict[str, Any]]:
    """Cells (and each student's baseline) as points of score against cost; what lacks the cost is left out."""
    cells = grid.judged[grid.judged[COLUMN[by]].gt(0).fillna(False)]
    # alpha = 0 is the same training at every temperature
    again = cells["alpha"].eq(0) & cells.assign(alone=cells["alpha"].eq(0)).duplicated(["alone", COLUMN[by], "mean"])
    made = []
    for c in grid.each(cells[~again]):
        (low, high), cost = bounds(c.scores, grid.metric), getattr(c, COLUMN[by])
        arm, label = ("baseline", c.student) if c.is_baseline else ("student", whatif_words.setting_words(grid, c))
        hover = f"{whatif_words.hover(grid, c)}<br>{WRITTEN[by](cost)}"
        where = {"x": cost, "y": c.mean, "low": low, "high": high}
        made.append({"id": str(c.cell), "arm": arm, "label": label, **where, "hover": hover})
    return made


def candidates(grid: Grid) -> list[Candidate]:
    """Cells as what could be shipped; a student's latency, measured on its chosen cell, holds for all its cells."""
    measured = grid.cells.groupby("student")["latency_ms"].last()
    latency = {str(name): None if pd.isna(ms) else float(ms) for name, ms in measured.items()}
    alone = t("what_if.cost.alone")
    return [
        Candidate(
            str(c.cell),
            f"{c.student}, {alone if c.is_baseline else whatif_words.setting_words(grid, c, student=False)}",
            c.mean,
            {name: getattr(c, column) for name, column in COLUMN.items()} | {"latency": latency[c.student]},
            c.mean,
        )
        for c in grid.each(grid.judged)
    ]


def teacher_point(grid: Grid, by: str) -> dict[str, Any] | None:
    """The teacher as a point, on the same validation rows; None where score or cost isn't known."""
    name, score, cost = engine.part_title("teacher", grid.teacher_name), grid.teacher, grid.teacher_costs[by]
    if score is None or not cost:
        return None
    title = escape(differences.metric_title(grid.metric))
    hover = f"<b>{escape(name)}</b><br>{title} {text.score(score)}<br>{WRITTEN[by](cost)}"
    where = {"x": cost, "y": score, "low": None, "high": None}
    return {"id": "teacher", "arm": "teacher", "label": name, **where, "hover": hover}
