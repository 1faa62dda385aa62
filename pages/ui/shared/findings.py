"""What a chart shows, in one or two sentences: the alternative text of every chart. No drawing here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from pages.ui.charts.marks import ARMS
from pages.ui.result import differences, verdict
from pages.ui.shared import text
from pages.ui.shared.text import Safe, t
from pages.ui.what_if import whatif_cells, whatif_words
from pages.ui.what_if.whatif_cells import Grid

NAMED = 6  # points told by name; a longer list is not listened to
Point = Mapping[str, Any]


def _arm(name: str) -> Safe:
    return t(f"runs.arm.{f'{name}_short' if name in ('baseline', 'placebo') else name}")


def of_verdict(found: Mapping[str, Any] | None) -> str:
    """Tell the verdict on the best student in its word and its claim, for who listens; empty where there is none."""
    if not found or not found.get("students"):
        return ""
    said = verdict.judge(found, verdict.best_student(found))
    return f"{t(f'runs.word.{said.word}')}. {text.plain(said.gain)}"


def of_points(points: Sequence[Point], metric: str, cost: str, written: Callable[[float], str]) -> Safe:
    """Tell a metric against a cost: the points (arm, label, x, y) from cheap to dear, a few by name, the cheapest of each part among them."""
    order = sorted(points, key=lambda p: p["x"])
    named = {p["arm"]: i for i, p in reversed(list(enumerate(order)))}.values()  # no part goes unnamed
    chosen = sorted([*named, *(i for i in range(len(order)) if i not in named)][:NAMED])
    told = [
        t(
            "findings.point",
            name=f"{_arm(p['arm'])} {p['label']}".strip(),
            value=text.score(p["y"]),
            cost=written(p["x"]),
        )
        for p in (order[i] for i in chosen)
    ]
    more = t("findings.more", num=len(order) - NAMED) if len(order) > NAMED else ""
    return t(
        "findings.points", metric=differences.metric_title(metric), axis=cost, points=Safe("; ".join(told)), more=more
    )


def of_pairs(student: Sequence[float], baseline: Sequence[float], metric: str) -> Safe:
    """Tell on how many seeds the student is better than its baseline."""
    sign = -1.0 if differences.lower_is_better(metric) else 1.0
    won = sum(sign * (s - b) > 0 for s, b in zip(student, baseline, strict=True))
    return t("findings.pairs", num=won, of=len(student))


def of_confusion(
    name: str, counts: Sequence[Sequence[float]], classes: Sequence[str], worst: tuple[int, int, float, float] | None
) -> Safe:
    """Tell how many rows are right, and the most frequent mistake."""
    right, rows = sum(row[i] for i, row in enumerate(counts)), sum(map(sum, counts))
    said = t("findings.confusion", arm=name, share=text.percent(right / rows if rows else None))
    if worst is None:
        return said
    i, j, count, _ = worst
    return Safe(
        f"{said} {t('findings.mistake', true=str(classes[i]), said=str(classes[j]), count=text.exact(round(count, 1)))}"
    )


def of_latency(series: Sequence[Mapping[str, Any]]) -> Safe:
    """Tell the middle time of the smallest and the largest batch, one line after the other."""
    told = [
        t(
            "findings.latency",
            name=str(s["name"]),
            first=s["batch"][0],
            fast=text.milliseconds(s["p50"][0]),
            last=s["batch"][-1],
            slow=text.milliseconds(s["p50"][-1]),
        )
        for s in series
    ]
    return Safe(" ".join(told))


def of_curves(drawn: Sequence[Mapping[str, Any]], metric: str, teacher: float | None) -> Safe:
    """Tell the best validation score of every part, with its epoch."""
    lower = differences.lower_is_better(metric)
    told = []
    for arm in ARMS:
        scored = [
            (s, e)
            for c in drawn
            if c["arm"] == arm
            for s, e in zip(c["score"], c["epoch"], strict=True)
            if s is not None
        ]
        if scored:
            best, epoch = min(scored) if lower else max(scored)
            told.append(t("findings.curve", arm=_arm(arm), value=text.score(best), epoch=epoch))
        elif arm == "teacher" and teacher is not None:
            told.append(t("findings.level", arm=_arm(arm), value=text.score(teacher)))
    return t("findings.curves", metric=differences.metric_title(metric), curves=Safe(", ".join(told)))


def of_losses(drawn: Sequence[Mapping[str, Any]]) -> Safe:
    """Tell where the loss began and where it ended, mean over the trainings drawn."""
    known = [[v for v in c.get("loss") or () if v is not None] for c in drawn]
    known = [c for c in known if c]
    if not known:
        return t("findings.no_loss")
    first, last = (sum(c[at] for c in known) / len(known) for at in (0, -1))
    return t("findings.losses", first=text.score(first), last=text.score(last), num=len(known))


def of_column(name: str, labels: Sequence[str], counts: Sequence[int]) -> Safe:
    """Tell the most frequent value or range of a column."""
    most = max(range(len(counts)), key=lambda i: counts[i])
    return t("findings.column", column=name, value=str(labels[most]), count=text.exact(counts[most]), num=len(counts))


def of_map(grid: Grid, cells: pd.DataFrame) -> Safe:
    """Tell the range of the gains, how many are clear of 0, and the best cell."""
    known = cells[cells["mean"].notna() & cells["gain"].notna()]
    if known.empty:
        return t("findings.no_map")
    said = t(
        "findings.map",
        metric=differences.metric_title(grid.metric),
        low=differences.signed_points(grid.metric, known["gain"].min()),
        high=differences.signed_points(grid.metric, known["gain"].max()),
        unit=whatif_words.unit_word(grid.metric),
        clear=sum(not whatif_cells.unclear(c) for c in grid.each(known)),
        of=len(known),
    )
    best = grid.cell(grid.best)
    if best is None or not best.judged:
        return said
    gain = whatif_words.gain_words(grid.metric, best)
    return Safe(f"{said} {t('findings.best', cell=whatif_words.setting_words(grid, best), gain=gain)}")


def of_sizes(grid: Grid, arms: Mapping[str, Sequence[Point]]) -> Safe:
    """Tell the best score of every size, and its baseline's."""
    alone = {p["label"]: p["y"] for p in arms["baseline"]}
    told = [
        t(
            "findings.size_of",
            name=str(p["label"]),
            weights=text.number(p["x"]),
            value=text.score(p["y"]),
            baseline=text.score(alone.get(p["label"])),
        )
        for p in arms["student"][:NAMED]
    ]
    more = t("findings.more", num=len(arms["student"]) - NAMED) if len(arms["student"]) > NAMED else ""
    return t("findings.sizes", metric=differences.metric_title(grid.metric), points=Safe("; ".join(told)), more=more)
