"""A cell of a what-if in words: its setting, its gain, why it has no score, and all of it under the pointer."""

from __future__ import annotations

from pages.ui.result import differences
from pages.ui.shared import text
from pages.ui.shared.text import Safe, escape, t
from pages.ui.what_if.whatif_cells import SETTINGS, Cell, Grid

FEW_SEEDS = 5  # below it a spread tells little of the spread that it stands for


def setting_words(grid: Grid, cell: Cell, *, student: bool = True) -> str:
    """Write what tells a cell apart from the others, as plain text: T=4, α=0.75, learning rate 0.002."""
    parts = [cell.student] if student and len(grid.students) > 1 else []
    for name in SETTINGS:
        value = getattr(cell, name)
        if value is not None and (name in ("temperature", "alpha") or name in grid.varying):
            parts.append(str(t(f"what_if.short.{name}", value=f"{value:g}")))
    return ", ".join(parts)


def unit_word(metric: str) -> str:
    """Name the unit of a gain: points, or the metric's own."""
    return str(t("what_if.points")) if differences.is_share(metric) else differences.metric_title(metric)


def gain_words(metric: str, cell: Cell) -> Safe:
    """Tell the gain with its interval: +1.1 points [+0.7, +1.5]."""
    if cell.gain is None:
        return t("what_if.no_gain")
    if cell.is_baseline:
        return t("what_if.own_baseline")
    between = interval(metric, cell.low, cell.high)
    return escape(f"{differences.signed_points(metric, cell.gain)} {unit_word(metric)} {between}".rstrip())


def interval(metric: str, low: float | None, high: float | None) -> str:
    """Write the 95 % interval of a gain, empty where there is none."""
    if low is None or high is None:
        return ""
    return f"[{differences.signed_points(metric, low)}, {differences.signed_points(metric, high)}]"


def seeds_words(grid: Grid, cell: Cell) -> Safe:
    """Tell the seeds that a cell has a score of: 3 seeds, 2 of 3 seeds."""
    known = sum(s is not None for s in cell.scores)
    whole = max(grid.seeds, known)
    key = "one_seed" if whole == 1 else "seeds" if known == whole else "seeds_of"
    return t(f"what_if.spoken.{key}", num=known, of=whole)


def seeds_shown(grid: Grid) -> Safe:
    """Tell how many seeds the means and intervals of a what-if come from: 3 to 8 seeds; where they are few, what that means."""
    known = [sum(score is not None for score in scores) for scores in grid.judged["scores"]]
    low, high = (min(known), max(known)) if known else (grid.seeds, grid.seeds)
    key = "seeds_between" if low < high else "one_seed" if high == 1 else "seeds"
    said = t(f"what_if.spoken.{key}", num=low, of=high)
    return t("what_if.spoken.few_seeds", said=said) if high < FEW_SEEDS else said


def why_missing(cell: Cell) -> Safe:
    """Say why a cell has no score."""
    if cell.diverged:
        return t("what_if.missing.diverged")
    if cell.stopped:
        return t("what_if.missing.stopped")
    return t("what_if.missing.waiting" if cell.pending else "what_if.missing.not_trained")


def hover(grid: Grid, cell: Cell) -> str:
    """Tell a cell in a few lines for the pointer; already safe for Plotly."""
    lines = [f"<b>{escape(setting_words(grid, cell))}</b>"]
    if not cell.judged:
        return "<br>".join([*lines, str(why_missing(cell))])
    lines.append(f"{escape(differences.metric_title(grid.metric))} {text.score(cell.mean)}")
    lines.append(str(t("what_if.hover.gain", gain=gain_words(grid.metric, cell))))
    if cell.word and not cell.is_baseline:
        lines.append(str(t("what_if.cell.by_itself", word=t(f"what_if.column.word_{cell.word}"))))
    if cell.cell == grid.best:
        lines.append(str(t("what_if.hover.best")))
    elif cell.like_best:
        lines.append(str(t("what_if.hover.like")))
    elif cell.behind is not None:
        lines.append(str(t("what_if.hover.behind", value=differences.points(grid.metric, cell.behind))))
    known = sum(s is not None for s in cell.scores)
    lines.append(str(t("what_if.hover.seeds", num=known, of=max(grid.seeds, known))))
    if cell.diverged:
        lines.append(str(t("what_if.hover.diverged", num=cell.diverged)))
    if cell.stopped:
        lines.append(str(t("what_if.hover.stopped")))
    return "<br>".join(lines)


def written(grid: Grid, cell: Cell) -> str:
    """The few characters that stand in a cell of the map."""
    if not cell.judged or cell.gain is None:
        return "…" if cell.pending else "–"
    shown = "0" if cell.is_baseline else differences.signed_points(grid.metric, cell.gain)
    return f"★ {shown}" if cell.cell == grid.best else shown
