"""The cells of a what-if as points: best score over size, and score against cost. No drawing here."""

from __future__ import annotations

from typing import Any

from pages.ui.result import verdict
from pages.ui.result.spread import bounds
from pages.ui.shared import text
from pages.ui.shared.text import escape, t
from pages.ui.what_if import whatif_cells
from pages.ui.what_if.whatif_cells import Grid


def size_points(grid: Grid) -> dict[str, list[dict[str, Any]]]:
    """Best cell and baseline of every student over its parameters, with the 95 % interval over seeds."""
    arms: dict[str, list[dict[str, Any]]] = {"baseline": [], "student": []}
    for name in grid.students:
        best = grid.cell(grid.best_of.get(name))
        if best is None or not whatif_cells.judged(best) or not best.get("parameters"):
            continue
        for arm, values in (("baseline", best.get("baseline") or ()), ("student", best["scores"])):
            known = [v for v in values if v is not None]
            if not known:
                continue
            mean = sum(known) / len(known)
            low, high = bounds(known)
            said = f"{text.score(mean)}" + (f" [{text.score(low)}, {text.score(high)}]" if low is not None else "")
            words = escape(whatif_cells.setting_words(grid, best)) if arm == "student" else t("runs.arm.baseline")
            arms[arm].append(
                {
                    "label": name,
                    "x": best["parameters"],
                    "y": mean,
                    "low": low,
                    "high": high,
                    "hover": f"<b>{escape(name)}</b> · {words}<br>{escape(verdict.metric_title(grid.metric))} {said}<br>"
                    f"{t('what_if.size.weights', value=text.number(best['parameters']))}",
                }
            )
    return {arm: sorted(points, key=lambda p: p["x"]) for arm, points in arms.items()}


def front_points(grid: Grid, by: str) -> list[dict[str, Any]]:
    """Cells (and each student's baseline) as points of score against cost; what lacks the cost is left out."""
    key = {"size": "size_bytes", "latency": "latency_ms", "parameters": "parameters"}[by]
    shown = {"size": text.size, "latency": text.milliseconds, "parameters": text.number}[by]
    made = []
    for c in grid.cells:
        if not whatif_cells.judged(c) or not c.get(key):
            continue
        low, high = bounds(c["scores"])
        arm = "baseline" if whatif_cells.is_baseline(c) else "student"
        label = whatif_cells.setting_words(grid, c) if arm == "student" else str(c["student"])
        made.append(
            {
                "id": str(c["cell"]),
                "arm": arm,
                "label": label,
                "x": c[key],
                "y": c["mean"],
                "low": low,
                "high": high,
                "hover": f"{whatif_cells.hover(grid, c)}<br>{shown(c[key])}",
            }
        )
    seen: set[tuple[Any, ...]] = set()
    kept = []
    for p in made:  # alpha = 0 is the same training at every temperature
        mark = (p["arm"], p["x"], p["y"]) if p["arm"] == "baseline" else (p["id"],)
        if mark not in seen:
            seen.add(mark)
            kept.append(p)
    return kept
