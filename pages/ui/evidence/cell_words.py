"""What the map tells of one cell: under the pointer, to who listens, and in the panel beside. Plain text, for the browser."""

from __future__ import annotations

from typing import Any

from pages.ui.result import differences
from pages.ui.shared import text
from pages.ui.shared.text import plain, t
from pages.ui.what_if import whatif_words
from pages.ui.what_if.whatif_cells import SETTINGS, Cell, Grid

PANEL = "what_if.cell."


def name(grid: Grid, cell: Cell) -> str:
    """Say the whole cell in one sentence: 'T 2, alpha 0.7, student small: +0.9 points [+0.5, +1.3], 5 seeds'."""
    parts = []
    for setting in SETTINGS:
        value = getattr(cell, setting)
        if value is not None and (setting in ("temperature", "alpha") or setting in grid.varying):
            parts.append(plain(t(f"what_if.spoken.{setting}", value=f"{value:g}")))
    if len(grid.students) > 1:
        parts.append(plain(t("what_if.spoken.student", name=cell.student)))
    found = [plain(whatif_words.gain_words(grid.metric, cell) if cell.judged else whatif_words.why_missing(cell))]
    if cell.judged:
        found.append(plain(whatif_words.seeds_words(grid, cell)))
        found += [plain(said) for said in (_standing_mark(grid, cell),) if said]
    return f"{', '.join(parts)}: {', '.join(found)}"


def _standing_mark(grid: Grid, cell: Cell) -> Any:
    if cell.cell == grid.best:
        return t("what_if.hover.best")
    return t("what_if.hover.like") if cell.like_best else None


def panel(grid: Grid, cell: Cell) -> dict[str, Any]:
    """Gather what the panel shows of a cell: gain, standing, a line per seed, cost, and what to be wary of.

    No word of a verdict: a cell may have been picked as the best on these very rows.
    """
    told: dict[str, Any] = {"title": whatif_words.setting_words(grid, cell)}
    if not cell.judged:
        return {**told, "missing": plain(whatif_words.why_missing(cell))}
    metric, compared = differences.metric_title(grid.metric), len(grid.judged)
    lines = [" ".join(plain(said) for said in (standing(grid, cell), _shared(grid, cell)) if said)]
    if compared > 1:
        lucky = "luckiest_best" if cell.cell == grid.best else "luckiest"  # how many there are was said of the best
        lines[0] += f" {plain(t(f'{PANEL}{lucky}', num=compared))}"
    if grid.teacher is not None:
        scores = {"teacher": text.score(grid.teacher, 4), "value": text.score(cell.mean, 4)}
        lines.append(plain(t(f"{PANEL}teacher", metric=metric, **scores)))
    wary = [t("what_if.hover.diverged", num=cell.diverged)] if cell.diverged else []
    wary += [t("what_if.hover.stopped")] if cell.stopped else []
    return {
        **told,
        "gain": f"{plain(whatif_words.gain_words(grid.metric, cell))}, {plain(whatif_words.seeds_words(grid, cell))}",
        "lines": lines,
        "seeds": by_seed(grid, cell),
        "costs": plain(
            t(
                f"{PANEL}costs",
                parameters=text.number(cell.parameters),
                size=text.size(cell.size_bytes),
                latency=text.milliseconds(cell.latency_ms),
            )
        ),
        "wary": [plain(said) for said in wary],
    }


def standing(grid: Grid, cell: Cell) -> Any:
    """Say where the cell stands against the best one."""
    if cell.cell == grid.best:
        return t(f"{PANEL}is_best", num=len(grid.judged))
    if cell.behind is None:
        return t(f"{PANEL}no_standing")
    between = whatif_words.interval(grid.metric, cell.behind_low, cell.behind_high)
    said = f"{differences.points(grid.metric, cell.behind)} {between}".rstrip()
    return t(f"{PANEL}{'like' if cell.like_best else 'behind'}", value=said)


def _shared(grid: Grid, cell: Cell) -> Any:
    """Say on which seeds the cell was held against the best one, where that one has more."""
    best = grid.cell(grid.best)
    if best is None or cell.behind is None:
        return None
    of = {seed for seed, score in zip(best.seeds, best.scores, strict=True) if score is not None}
    own = {seed for seed, score in zip(cell.seeds, cell.scores, strict=True) if score is not None}
    return t(f"{PANEL}shared", num=len(of & own), of=len(of)) if of - own else None


def by_seed(grid: Grid, cell: Cell) -> list[list[str]]:
    """Write baseline, score, gain and epoch of every seed, and last their means; of a cell that is its own baseline its score and epoch alone."""
    if cell.is_baseline:
        last = [plain(t(f"{PANEL}mean")), "–", text.score(cell.mean, 4), "–", ""]
        each = zip(cell.seeds, cell.scores, cell.selected_epochs, strict=True)
        return [*([str(n), "–", text.score(s, 4), "–", "–" if e is None else str(e)] for n, s, e in each), last]
    sign = -1.0 if differences.lower_is_better(grid.metric) else 1.0
    alone = [v for v in cell.baseline if v is not None]
    told = [
        [
            str(seed),
            text.score(before, 4),
            text.score(own, 4),
            differences.signed_points(grid.metric, None if own is None or before is None else sign * (own - before)),
            "–" if epoch is None else str(epoch),
        ]
        for seed, before, own, epoch in zip(cell.seeds, cell.baseline, cell.scores, cell.selected_epochs, strict=True)
    ]
    baseline = text.score(sum(alone) / len(alone), 4) if alone else "–"
    last = [plain(t(f"{PANEL}mean")), baseline, text.score(cell.mean, 4)]
    return [*told, [*last, differences.signed_points(grid.metric, cell.gain), ""]]


def columns(grid: Grid) -> list[str]:
    """Name the columns of the lines by seed."""
    metric, unit = differences.metric_title(grid.metric), whatif_words.unit_word(grid.metric)
    told = (
        ("seed", {}),
        ("baseline", {"metric": metric}),
        ("score", {"metric": metric}),
        ("gain", {"unit": unit}),
        ("epoch", {}),
    )
    return [plain(t(f"{PANEL}{key}", **values)) for key, values in told]
