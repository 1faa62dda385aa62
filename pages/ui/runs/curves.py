"""A run's training curves with their two choices: which student, and all seeds together or apart."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui.charts import runs as charts
from pages.ui.live_chart import component
from pages.ui.result import chance, differences
from pages.ui.shared import findings, picture, text
from pages.ui.shared.text import escape, t

LIVE_POINTS, LEAST_POINTS = 1_500, 12  # per chart that is sent again every few seconds, and of each of its curves


def points(curves: int) -> int:
    """Return how many points each of so many curves has on a live page: always one of a few numbers, for which thinned curves are kept."""
    found = LEAST_POINTS
    while 2 * found * max(1, curves) <= LIVE_POINTS:
        found *= 2
    return found


def names() -> dict[str, str]:
    """The parts' names as legends show them."""
    return {
        "teacher": t("runs.arm.teacher"),
        "baseline": t("runs.arm.baseline_short"),
        "placebo": t("runs.arm.placebo_short"),
        "helper": t("runs.arm.helper"),
        "student": t("runs.arm.student"),
        "hard": t("runs.arm.hard"),
        "soft": t("runs.arm.soft"),
        "loss": t("runs.arm.loss"),
    }


def metric_of(snapshot: Any) -> str:
    """Name the selection metric of a run, once its plan is known."""
    return str((snapshot.plan or {}).get("metric") or "")


def teacher_score(snapshot: Any) -> float | None:
    """Return the teacher's score on validation."""
    return ((snapshot.teacher or {}).get("metrics") or {}).get(metric_of(snapshot))


def show(snapshot: Any, key: str, student: str | None = None) -> None:
    """Draw validation curves and losses of one student beside its baseline, its placebo and the teacher."""
    known = [s.name for s in snapshot.spec.students]
    if snapshot.spec.compress is not None:  # what learns is a stage, under its name
        known = list(dict.fromkeys(str(c.student) for c in snapshot.curves if c.arm != "teacher"))
    if not snapshot.curves:
        st.caption(t("runs.live.nothing_yet"))
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if student is None:
            if snapshot.spec.choose is not None:  # who was left out has no curve
                known = [n for n in known if any(c.student == n for c in snapshot.curves)]
            student = _pick(known, key, snapshot.chosen) if known else None
        views = ("together", "apart")
        view = st.segmented_control(
            t("runs.live.seeds_view"),
            views,
            default="together",
            format_func=lambda v: t(f"runs.live.{v}"),
            key=f"view-{key}",
            help=t("runs.live.seeds_view_help"),
            required=True,
        )
    drawn = [_drawn(c) for c in snapshot.curves if _belongs(c, student)]
    metric = metric_of(snapshot)
    title, lower = differences.metric_title(metric), differences.lower_is_better(metric)
    st.markdown(f"**{t('runs.live.curves', metric=title)}**")
    if view == "apart" and any(c["arm"] != "teacher" for c in drawn):
        level, compared = None, [c for c in drawn if c["arm"] != "teacher"]
        fig = charts.seeds(
            drawn,
            names=names(),
            seed_title=t("runs.overview.seed", seed="{seed}"),
            best_name=t("runs.overview.best"),
            lower_is_better=lower,
        )
    else:
        level, compared = teacher_score(snapshot), drawn
        fig = charts.curves(
            drawn,
            metric=title,
            names=names(),
            epoch_title=t("runs.overview.epoch"),
            best_name=t("runs.overview.best"),
            teacher_score=level,
            lower_is_better=lower,
            chance=guessing(metric),
        )
    found = findings.of_curves(drawn, metric, teacher_score(snapshot))
    (component.show if view == "together" else picture.show)(
        fig, f"curves-{key}", found
    )  # one small chart a seed is Plotly's
    said = [t("runs.live.curves_lower" if lower else "runs.live.curves_higher")]
    hidden = charts.outside(compared, level, lower)
    if hidden:
        said.append(t("runs.live.outside", num=text.exact(hidden)))
    if any(c["arm"] == "teacher" and not _highest(c, lower) for c in drawn):
        said.append(t("runs.live.teacher_kept"))
    if metric in chance.FIXED:
        said.append(t("runs.live.guess", value=f"{chance.FIXED[metric]:g}", metric=title))
    st.caption(" ".join(said))
    thinned = [c for c in snapshot.curves if c.total > c.shown and _belongs(c, student)]
    if thinned:
        most = max(thinned, key=lambda c: c.total)
        st.caption(t("runs.live.decimated", shown=text.exact(most.shown), total=text.exact(most.total)))
    if drawn:  # before the first epoch its axes would count from −1 to 4
        _losses([c for c in drawn if c["arm"] == "student"] or drawn, key)


def _highest(curve: dict[str, Any], lower: bool) -> bool:
    """Say whether the kept epoch has the best score of a curve, as far as known."""
    scores = {e: s for e, s in zip(curve["epoch"], curve["score"], strict=True) if s is not None}
    if curve["best"] not in scores:
        return True
    best = min(scores.values()) if lower else max(scores.values())
    return bool(scores[curve["best"]] == best)


def guessing(metric: str) -> tuple[float, str] | None:
    """Name the level of guessing where it does not depend on the rows."""
    if metric not in chance.FIXED:
        return None
    return chance.FIXED[metric], t("runs.chance.line", value=f"{chance.FIXED[metric]:g}")


def _pick(known: list[str], key: str, chosen: str | None) -> str:
    """Let a person pick a student; a chosen one is shown first, and again when it has just been chosen."""
    if len(known) == 1:
        return known[0]
    chosen = st.pills(
        t("runs.live.student"),
        range(len(known)),
        default=known.index(chosen) if chosen in known else 0,
        format_func=lambda i: escape(known[i]),
        key=f"who-{key}-{chosen}" if chosen else f"who-{key}",
        wrap=True,
        help=t("runs.live.student_help"),
        required=True,
    )
    return known[chosen or 0]


def _belongs(curve: Any, student: str | None) -> bool:
    return curve.fold is None and curve.student in (None, student)


def _drawn(curve: Any) -> dict[str, Any]:
    return {
        "arm": curve.arm,
        "student": curve.student,
        "seed": curve.seed,
        "epoch": curve.epochs,
        "score": curve.score,
        "loss": curve.loss,
        "hard": curve.hard,
        "soft": curve.soft,
        "best": curve.best_epoch,
    }


def _losses(drawn: list[dict[str, Any]], key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown(f"**{t('runs.live.loss')}**", width="content")
        log = st.toggle(t("runs.live.loss_log"), key=f"log-{key}", help=t("runs.live.loss_log_help"))
    fig = charts.losses(
        drawn, names=names(), log=log, epoch_title=t("runs.overview.epoch"), y=t("runs.overview.loss_axis")
    )
    component.show(fig, f"losses-{key}", findings.of_losses(drawn))
    st.caption(t("runs.live.loss_note"))
