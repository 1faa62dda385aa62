"""The form of goals, of one shape wherever models are compared: how good, how large, how slow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.ui.goals.candidates import WRITTEN, Goals
from pages.ui.result import differences
from pages.ui.shared import forms, text
from pages.ui.shared.text import t

WAYS = ("teacher", "share", "absolute")
UNIT = {"size": 1024.0, "latency": 1e-3}  # of the input: KB, µs
FIELD = {"teacher": "lost", "share": "share", "absolute": "value"}  # that a way of telling how good is told by
COMPARE = "goal"  # the form on Compare, which other pages and the address take goals from
HELD = "goals.held"  # in the session, for each data: what a person put into the fields, as widgets forget it when their page is left


def ask(
    key: str,
    metric: str,
    teacher_value: float | None,
    teacher_costs: Mapping[str, float | None],
    *,
    first: str = "teacher",
    data: str = "",
    before: Goals | None = None,
    across: bool = False,
    suggest: bool = True,
) -> Goals:
    """Let the person set goals; one without a number is none. What is lost against a teacher stands beside limits of size and time.

    `first`: how it is told at first how good is good enough; limits are suggested only where numbers are asked for first. `data`: what
    the goals are kept for. `before`: goals that were set elsewhere for this data, with which the form opens. `across`: the fields stand
    beside each other where there is room. `suggest`: the fields open with goals that many would ask for; else with none.
    """
    lower, share = differences.lower_is_better(metric), differences.is_share(metric)
    usual = 0.01 if share else float(f"{abs(teacher_value or 0.0) * 0.05:.2g}") or 0.01
    able = {"teacher": teacher_value is not None, "share": bool(data) and not lower and (teacher_value or 0.0) > 0}
    ways = [way for way in WAYS if able.get(way, True)]  # of an error nobody asks for a share
    opening = _opening(
        metric, teacher_value, teacher_costs, usual, first if first in ways else ways[0], before, suggest
    )
    fields = ["way", *(f"{name}-{metric}" for name in FIELD.values()), *(f"most-{name}" for name in UNIT)]
    held = _held(key, data, opening, fields)
    if held.get("way", ways[0]) not in ways:
        held["way"] = st.session_state[f"{key}-way"] = opening["way"]

    def place(name: str) -> str:
        return forms.seed(f"{key}-{name}", held.get(name, opening.get(name)))

    st.markdown(f"**{t('compare.goal.title')}**")
    places = st.columns(4) if across else [st.container() for _ in range(4)]
    way = places[0].segmented_control(
        t("compare.goal.way"),
        ways,
        key=place("way"),
        required=True,
        label_visibility="visible" if across else "collapsed",
        format_func=lambda w: t(f"compare.goal.way_{w}"),
        help=t("compare.goal.way_help"),
    )
    with places[1]:
        worst, lost = _good(place, str(way), metric, teacher_value, usual)
    most = {}
    for (name, unit), where in zip(UNIT.items(), places[2:], strict=True):
        known = teacher_costs.get(name)
        asked = where.number_input(
            t(f"compare.goal.most_{name}"),
            0.0,
            None,
            None,
            1.0 if known is None else float(f"{known / 25 / unit:.2g}") or 1.0,
            format="%.4g",
            key=place(f"most-{name}"),
            placeholder=None if known is None else t("compare.goal.teacher_has", value=in_field(name, known)),
            help=t("compare.goal.most_help"),
        )
        if asked is not None:
            most[name] = asked * unit
    own = _hold(key, held, opening, fields)
    return Goals(metric, worst, most, lost, own)


def in_field(name: str, value: float) -> str:
    """Write a cost in the unit of its field: beside a limit in µs a time in ms would be read as one of them."""
    return WRITTEN[name](value) if name != "latency" else f"{float(f'{value / UNIT[name]:.3g}'):,.10g} µs"


def _opening(
    metric: str,
    teacher_value: float | None,
    teacher_costs: Mapping[str, float | None],
    usual: float,
    way: str,
    before: Goals | None,
    suggest: bool,
) -> dict[str, Any]:
    """Return what the fields hold before a person changes them."""
    share, sign = differences.is_share(metric), 1 if differences.lower_is_better(metric) else -1
    opening: dict[str, Any] = {"way": way, f"lost-{metric}": usual * (100.0 if share else 1.0), f"share-{metric}": 95.0}
    if not suggest:
        opening |= {name: None for name in opening if name != "way"}
    elif way == "absolute":
        opening[f"value-{metric}"] = None if teacher_value is None else float(f"{teacher_value + sign * usual:.3g}")
        for name, unit in UNIT.items():
            known = teacher_costs.get(name)
            opening[f"most-{name}"] = None if known is None else float(f"{known / 5 / unit:.2g}")
    if before is not None:  # nothing is suggested beside what was asked for
        opening |= {f"{name}-{metric}": None for name in FIELD.values()}
        opening |= {f"most-{n}": float(f"{v / UNIT[n]:.4g}") for n, v in before.most.items() if n in UNIT}
        if before.lost is not None and before.metric == metric and teacher_value is not None:
            opening |= {"way": "teacher", f"lost-{metric}": float(f"{before.lost * (100.0 if share else 1.0):.4g}")}
        elif before.worst is not None and before.metric == metric:
            opening |= {"way": "absolute", f"value-{metric}": before.worst}
    return opening


def _good(
    place: Any, way: str, metric: str, teacher_value: float | None, usual: float
) -> tuple[float | None, float | None]:
    """Draw the field of how good is good enough; return the worst value, and what may be lost against the teacher where that is asked for."""
    lower, share = differences.lower_is_better(metric), differences.is_share(metric)
    field = place(f"{FIELD[way]}-{metric}")
    if way == "absolute" or teacher_value is None:
        title = differences.metric_title(metric)
        worst = st.number_input(
            t("compare.goal.value_most" if lower else "compare.goal.value_least", metric=title),
            None,
            None,
            None,
            0.01 if share else usual / 5,
            format="%.3f" if share else "%.4g",
            key=field,
            placeholder=None
            if teacher_value is None
            else t("compare.goal.teacher_has", value=text.score(teacher_value)),
            help=t("compare.goal.value_help"),
        )
        return worst, None
    if way == "share":
        label, about = t("compare.goal.share"), t("compare.goal.share_help")
        percent = st.number_input(label, 0.0, None, None, 1.0, key=field, help=about)
        return None if percent is None else teacher_value * percent / 100, None
    kind, scale = ("lost_points", 100.0) if share else ("lost_value", 1.0)
    label, about, step = (
        t(f"compare.goal.{kind}", metric=differences.metric_title(metric)),
        t(f"compare.goal.{kind}_help"),
        0.1 if share else usual / 5,
    )
    lost = st.number_input(label, 0.0, None, None, step, key=field, help=about)
    if lost is None:
        return None, None
    return teacher_value + (lost if lower else -lost) / scale, lost / scale


def _held(key: str, data: str, opening: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Return what a person put into the fields for this data; where it was nothing, fields that opened otherwise are opened anew."""
    held: dict[str, Any] = st.session_state.setdefault(HELD, {}).setdefault(f"{key} {data}", {})
    now = (data, opening)
    then = st.session_state.get(f"{key}.of", now)
    if then[0] != data or (then[1] != opening and not held):
        for name in fields:
            st.session_state.pop(f"{key}-{name}", None)
    st.session_state[f"{key}.of"] = now
    return held


def _hold(key: str, held: dict[str, Any], opening: Mapping[str, Any], fields: Sequence[str]) -> bool:
    """Keep what the fields hold as soon as a person has changed something; say whether that is so."""
    now = {name: st.session_state[f"{key}-{name}"] for name in fields if f"{key}-{name}" in st.session_state}
    if held or any(value != opening.get(name) for name, value in now.items()):
        held |= now
    return bool(held)


def put(key: str, data: str, values: Mapping[str, Any]) -> None:
    """Fill the fields for this data as if a person had done so; those not named are emptied."""
    forms.forget(f"{key}-")
    st.session_state.setdefault(HELD, {})[f"{key} {data}"] = {f"most-{n}": None for n in UNIT} | dict(values)
