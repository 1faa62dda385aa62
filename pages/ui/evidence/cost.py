"""Score against cost: what nothing else beats in both, the person's goals as a region, and who meets them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui.access import aids
from pages.ui.charts import compare as pareto_chart
from pages.ui.charts import placing, spread
from pages.ui.charts import what_if as charts
from pages.ui.goals import candidates as goals
from pages.ui.goals import form, kept
from pages.ui.goals.candidates import Candidate, Goals
from pages.ui.result import comparison, differences
from pages.ui.shared import findings, forms, picture, text
from pages.ui.shared.text import Safe, escape, t
from pages.ui.what_if import whatif_map, whatif_points, whatif_words
from pages.ui.what_if.whatif_cells import Grid

KEY = "whatif-pareto"
MARK = {True: "✓", False: "✗", None: "?"}
ICON = {True: ":green[:material/check_circle:]", False: ":red[:material/cancel:]", None: ":gray[:material/help:]"}
LISTED = 8  # of the front, from small to large


def show(grid: Grid) -> None:
    """Draw score against cost with the front and the goals; a click chooses a cell."""
    by = st.segmented_control(
        t("compare.x"),
        list(whatif_points.COLUMN),
        key=forms.seed("whatif-cost", "size"),
        required=True,
        format_func=lambda c: t(f"what_if.cost.{c}"),
        help=t("compare.x_help"),
    )
    by = str(by or "size")
    points = whatif_points.front_points(grid, by)
    if not points:
        st.caption(t("what_if.cost.none", cost=t(f"what_if.cost.{by}")))
        return
    lower = differences.lower_is_better(grid.metric)
    teacher, best = whatif_points.teacher_point(grid, by), comparison.front(points, lower)
    ship = {c.id: c for c in whatif_points.candidates(grid)}
    left, right = st.columns([3.2, 1.3], gap="large")
    with right:
        asked = _asked(grid, teacher, by)
        goals.show(list(ship.values()), asked, "what_if.cost.passed")
        if teacher is None:
            st.caption(t("what_if.cost.no_teacher"))
    written, at = goals.WRITTEN[by], whatif_map.picked()
    shown = _marked(points, best, ship, asked) + ([teacher] if teacher else [])
    with left:
        figure = pareto_chart.pareto(
            shown,
            best,
            metric=differences.metric_title(grid.metric),
            most=spread.most(grid.metric),
            x_title=t(f"what_if.cost.{by}_axis"),
            names=differences.arm_names(),
            written=written,
            lower_is_better=lower,
            binary=by == "size",
            front_name=t("compare.front"),
            picked=[] if at is None else [str(at)],
            goal=_region(asked, points, by, lower),
            goal_name=t("compare.goal_name"),
            height=430,
            wide=aids.plot_width(placing.WIDER),
        )
        charts.marked(figure, [p for p in shown if p.get("mark")])
        figure.update_layout(dragmode=False)
        on_front = [p for p in shown if p["id"] in best or p["arm"] == "teacher"]
        said = findings.of_points(on_front, grid.metric, t(f"what_if.cost.{by}"), written)
        picture.show(figure, KEY, said, pick=True)
        note = t("what_if.cost.note_lower" if lower else "what_if.cost.note", seeds=whatif_words.seeds_shown(grid))
        st.caption(note if asked.empty else Safe(f"{note} {t('what_if.cost.note_goals')}"))
        if by == "latency" and grid.judged["latency_ms"].isna().any():
            st.caption(t("what_if.cost.missing"))
    _front(grid, [ship[i] for i in best if i in ship], asked)


def _asked(grid: Grid, teacher: dict[str, Any] | None, by: str) -> Goals:
    value = teacher["y"] if teacher else None
    found = grid.result or {}
    before = kept.kept(kept.named((found.get("dataset") or {}).get("name"), grid.target), found)
    return form.ask(
        "whatif",
        grid.metric,
        value,
        grid.teacher_costs,
        first="absolute",
        before=None if before.empty else before,
        suggest=False,
    )


def _marked(
    points: list[dict[str, Any]], best: list[str], ship: dict[str, Candidate], asked: Goals
) -> list[dict[str, Any]]:
    """Fade what is dominated; mark the rest by whether it meets the goals, where there are any."""
    made = []
    for p in points:
        met = None if asked.empty else MARK[asked.meets(ship[p["id"]])]
        told = p if met is None else {**p, "hover": f"{p['hover']}<br>{met} {_met(ship[p['id']], asked)}"}
        if p["id"] in best:
            made.append(told if met is None else {**told, "mark": met})
        else:  # many cells share a cost: bars of all of them would hide each other
            made.append({**told, "low": None, "high": None, "faded": True})
    return made


def _met(c: Candidate, asked: Goals) -> Safe:
    return t(f"what_if.cost.{ {True: 'meets', False: 'misses', None: 'not_known'}[asked.meets(c)] }")


def _region(asked: Goals, points: list[dict[str, Any]], by: str, lower: bool) -> tuple[float, float] | None:
    """The corner of the region that the goals leave; where one is not asked for, beyond all points."""
    most, worst = asked.edge(by)
    if most is None and worst is None:
        return None
    ys = [p["y"] for p in points]
    lowest = max(ys) if lower else min(ys)
    return (most if most is not None else 1.2 * max(p["x"] for p in points), lowest if worst is None else worst)


def _front(grid: Grid, found: list[Candidate], asked: Goals) -> None:
    """List what nothing else beats, from small to large, each with its goals met or missed."""
    st.markdown(f"**{t('what_if.cost.front')}**")
    for c in found[:LISTED]:
        value = f"{escape(differences.metric_title(grid.metric))} {text.score(c.value)}"
        met = "" if asked.empty else f"{ICON[asked.meets(c)]} **{MARK[asked.meets(c)]}** "
        st.markdown(f"{met}{goals.words(c, asked)} · {value}")
    if len(found) > LISTED:
        st.caption(t("what_if.cost.front_more", num=len(found) - LISTED))
