"""All stages of all chains as points: a metric against bytes or time, beside the teacher, the student and its baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from kd_core.runs.view import compress_words
from kd_core.runs.view.smaller.verdict import gains, standing
from pages.ui.access import aids
from pages.ui.charts import compare as charts
from pages.ui.charts import placing
from pages.ui.charts.spread import bounds, most
from pages.ui.compress.typeset import typeset
from pages.ui.result import comparison, differences
from pages.ui.shared import engine, findings, picture, text
from pages.ui.shared.text import Safe, escape, t

FAR = 4.0  # times as dear as everything else, or as far below it as all of that spreads
COSTS = {"bytes": text.size, "time": text.milliseconds}
Found = Mapping[str, Any]


def show(found: Found, key: str) -> None:
    """Let the person choose the cost, and draw the stages against it; what is to be taken is ringed: the chosen stage, or the student where that has gained nothing."""
    block = found["compressed"]
    metric = str(block["metric"]["name"])
    by = st.segmented_control(
        t("compress.cost"),
        list(COSTS),
        default="bytes",
        format_func=lambda c: t(f"compress.costs.{c}"),
        key=f"{key}-cost",
        required=True,
    )
    by = str(by or "bytes")
    lower = differences.lower_is_better(metric)
    drawn, away = near(points(found, by), lower)
    chosen = compress_words.chosen(block)
    gained = chosen is not None and gains(block, chosen)
    ringed = chosen if gained or chosen is None else compress_words.student(block)
    best = comparison.front(drawn, lower)
    fig = charts.pareto(
        drawn,
        best,
        metric=differences.metric_title(metric),
        most=most(metric),
        x_title=t(f"compress.axis.{by}"),
        names={**differences.arm_names(), "compressed": t("runs.arm.compressed")},
        written=COSTS[by],
        lower_is_better=lower,
        binary=by == "bytes",
        front_name=t("compare.front"),
        named=None if ringed is None else f"stage-{ringed['id']}",
        goal=goal(found, drawn, by),
        goal_name=t("compress.goal_name"),
        paths=[path(block, ids) for ids in block["chains"]],
        height=420,
        wide=aids.plot_width(placing.MIDDLE if block.get("sensitivity") else placing.WIDER),
    )
    said = findings.of_points(drawn, metric, t(f"compress.costs.{by}"), COSTS[by])
    picture.show(fig, f"{key}-{by}", said)
    note = t("compress.chart_note_lower" if lower else "compress.chart_note")
    if chosen is not None:
        of = standing(block, chosen) if gained else "student"
        note = Safe(f"{note} {t(f'compress.chart_ring.{of}')}")
    for p in away:
        told = {"name": p["label"], "value": text.score(p["y"], 4), "cost": COSTS[by](p["x"])}
        key_of = "chart_away" if p["arm"] == "teacher" else "chart_below"
        note = Safe(f"{note} {t(f'compress.{key_of}', **told)}")
    st.caption(note)


def near(drawn: list[dict[str, Any]], lower: bool) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Part what is drawn from what would press all else together and is told in words: a teacher that costs far more, stages that are far worse."""
    most = max((p["x"] for p in drawn if p["arm"] != "teacher"), default=0.0)
    away = [p for p in drawn if p["arm"] == "teacher" and p["x"] > FAR * most > 0]
    left = sorted((p for p in drawn if p not in away), key=lambda p: -p["y"] if lower else p["y"])
    for worst in [p for p in left if p["arm"] == "compressed"]:
        rest = [p["y"] for p in left if p is not worst]
        if left[0] is not worst or len(rest) < 2:
            break
        spread = max(rest) - min(rest)
        gap = worst["y"] - max(rest) if lower else min(rest) - worst["y"]
        if not gap > FAR * spread > 0:
            break
        away.append(worst)
        left.remove(worst)
    return [p for p in drawn if p not in away], away


def points(found: Found, by: str) -> list[dict[str, Any]]:
    """Return what is drawn: teacher, baseline, the student as it was and every stage that was made, where its cost is known."""
    block = found["compressed"]
    metric, arms = str(block["metric"]["name"]), differences.arm_names()
    made: list[dict[str, Any]] = []

    def add(id_: str, arm: str, label: str, x: float | None, y: float | None, scores: Any, more: str = "") -> None:
        if x is None or y is None:
            return
        low, high = bounds(scores, metric)
        hover = (
            f"{escape(label)}<br>{escape(differences.metric_title(metric))} {text.score(y, 4)}<br>{COSTS[by](x)}{more}"
        )
        made.append({"id": id_, "arm": arm, "label": label, "x": x, "y": y, "low": low, "high": high, "hover": hover})

    teacher = found.get("teacher") or {}
    whole = ((teacher.get("latency_ms") or {}).get("whole") or {}).get("1") or {}
    if teacher.get("metrics"):
        title = engine.part_title("teacher", str(teacher["name"]))
        size = teacher.get("size_bytes") if by == "bytes" else whole.get("p50")
        add("teacher", "teacher", title, size, teacher["metrics"].get(metric), [])
    for one in block["stages"]:
        if one.get("reason"):
            continue
        cost = one["bytes"] if by == "bytes" else compress_words.milliseconds(one)
        as_it_was = one["step"] is None
        lost = "" if as_it_was else f"<br>{typeset(compress_words.lost_briefly(block, one))}"
        mean = one["metrics"].get(metric)
        arm = "student" if as_it_was else "compressed"
        add(f"stage-{one['id']}", arm, str(one["name"]), cost, mean, one["scores"] if as_it_was else [], lost)
        if not as_it_was and made and made[-1]["id"] == f"stage-{one['id']}":
            made[-1] |= proof(block, one, metric)
        if as_it_was and (alone := _baseline(found, metric)):
            known = [v for v in alone if v is not None]
            add("baseline", "baseline", arms["baseline"], cost, sum(known) / len(known) if known else None, alone)
        if whole := one.get("beside"):
            label = str(t("compress.beside_name", num=len(whole["seeds"])))
            cost = whole["bytes"] if by == "bytes" else compress_words.milliseconds(whole)
            if _begin(one) not in [p["id"] for p in made]:
                add(_begin(one), "student", label, cost, whole["metrics"].get(metric), whole["scores"])
    return made


def path(block: Any, ids: Sequence[int]) -> list[str]:
    """Name the points of a chain; it begins at the student over the seeds of its first stage."""
    first, *rest = compress_words.path(block, ids)
    stages = {one["id"]: one for one in block["stages"]}
    start = _begin(stages[rest[0]]) if rest and stages[rest[0]].get("beside") else f"stage-{first}"
    return [start, *(f"stage-{i}" for i in rest)]


def _begin(one: Mapping[str, Any]) -> str:
    """Name the point of the student over the seeds of a stage that could not be made for all."""
    return f"student-on-{'-'.join(map(str, one['beside']['seeds']))}"


def _baseline(found: Found, metric: str) -> list[float | None]:
    """Return how the same student did without a teacher, over the seeds of the student as it was; empty where the result does not tell it."""
    block = found["compressed"]
    seeds, of = compress_words.student(block).get("seeds"), list(block["seeds"])
    for one in found.get("students") or ():
        if one["name"] == block["student"] and one.get("baseline"):
            values = ((one["baseline"].get("metrics") or {}).get(metric) or {}).get("values") or []
            return [v for s, v in zip(of, values, strict=False) if s in seeds] if seeds else values
    return []


def proof(block: Found, one: Found, metric: str) -> dict[str, float]:
    """Return the ends of what a stage surely scores: the student's score less the interval of what it lost; nothing where that is not known."""
    ends = (one.get("lost") or {}).get("ci95") or (None, None)
    whole = (one.get("beside") or compress_words.student(block))["metrics"].get(metric)  # over the seeds of the stage
    if whole is None or None in ends:
        return {}
    low, high = sorted(_less(block, whole, lost) for lost in ends)
    end = most(metric)
    return {"low": low, "high": high if end is None else min(high, end)}


def _less(block: Found, score: float, lost: float) -> float:
    """Return a score that is so many points worse, or percent where the metric is told so."""
    by = lost / 100 * (abs(score) if block["metric"].get("relative") else 1.0)
    return score + by if block["metric"]["better"] == "lower" else score - by


def goal(found: Found, drawn: list[dict[str, Any]], by: str) -> tuple[float, float] | None:
    """Return the corner of the goals: the largest cost, to the edge where none was set, and the worst score that may be."""
    block = found["compressed"]
    asked, whole = block["goals"], compress_words.student(block)
    score = whole["metrics"].get(str(block["metric"]["name"]))
    if score is None or not drawn:
        return None
    micro = asked.get("microseconds")
    limit = asked.get("bytes") if by == "bytes" else micro / 1000 if micro else None
    edge = limit or 1.2 * max(p["x"] for p in drawn)
    return edge, _less(block, score, asked["most_lost"])
