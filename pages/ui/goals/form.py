"""The form of goals."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.ui.result import verdict
from pages.ui.result.goals import WRITTEN, Goals
from pages.ui.shared import forms, text
from pages.ui.shared.text import t

WAYS = ("teacher", "share", "absolute")
UNIT = {"size": 1024.0, "latency": 1e-3}  # of the input: KB, µs
HELD = "goals.held"  # in the session, for each data: what the fields held, as widgets forget it when their page is left


def ask(
    key: str,
    metric: str,
    by: str,
    teacher_value: float | None,
    teacher_costs: Mapping[str, float | None],
    times: str,
    *,
    first: str = "teacher",
    data: str = "",
) -> Goals:
    """Let the person set goals. `times` is the catalogue's name for so many times less cost; a goal without a number is none.

    `first`: the way that is open at first, where the teacher is known; numbers are suggested only where they are asked for first. `data`: what the goals are kept for.
    """
    held = _held(key, data)

    def seeded(name: str, value: object) -> str:
        return forms.seed(name, held.get(name, value))

    st.markdown(f"**{t('compare.goal.title')}**")
    lower = verdict.lower_is_better(metric)
    shares = bool(data) and not lower and (teacher_value or 0.0) > 0  # of an error nobody asks for a share
    known = {"teacher": teacher_value is not None, "share": shares, "absolute": True}
    ways = [way for way in WAYS if known[way]]
    way = st.segmented_control(
        t("compare.goal.way"),
        ways,
        key=seeded(f"{key}-way", first if first in ways else ways[0]),
        required=True,
        wrap=True,
        label_visibility="collapsed",
        format_func=lambda w: t(f"compare.goal.way_{w}"),
        help=t("compare.goal.way_help"),
    )
    share = verdict.is_share(metric)
    title = verdict.metric_title(metric)
    usual = 0.01 if share else float(f"{abs(teacher_value or 0.0) * 0.05:.2g}") or 0.01
    cost = teacher_costs.get(by)
    if way != "absolute" and teacher_value is not None:
        if way == "share":
            percent = st.number_input(
                t("compare.goal.share"),
                0.0,
                None,
                None,
                1.0,
                key=seeded(f"{key}-share-{metric}", 95.0),
                help=t("compare.goal.share_help"),
            )
            worst = None if percent is None else teacher_value * percent / 100
        else:
            kind, scale = ("lost_points", 100.0) if share else ("lost_value", 1.0)
            lost = st.number_input(
                t(f"compare.goal.{kind}"),
                0.0,
                None,
                None,
                0.1 if share else usual / 5,
                key=seeded(f"{key}-lost-{metric}", usual * scale),
                help=t(f"compare.goal.{kind}_help"),
            )
            worst = None if lost is None else teacher_value + (lost if lower else -lost) / scale
        less = st.number_input(
            t(times), 1.0, None, None, 1.0, key=seeded(f"{key}-times-{by}", 5.0), help=t("compare.goal.times_help")
        )
        _hold(key, held)
        return Goals(metric, worst, {} if cost is None or less is None else {by: cost / less})
    suggested = first == "absolute"
    opening = None if teacher_value is None else float(f"{teacher_value + (usual if lower else -usual):.3g}")
    teacher_has = None if teacher_value is None else t("compare.goal.teacher_has", value=text.score(teacher_value))
    worst = st.number_input(
        t("compare.goal.value_most" if lower else "compare.goal.value_least", metric=title),
        None,
        None,
        None,
        0.01 if share else usual / 5,
        format="%.3f" if share else "%.4g",
        key=seeded(f"{key}-value-{metric}", opening if suggested else None),
        placeholder=teacher_has,
        help=t("compare.goal.value_help"),
    )
    most = {}
    for name, unit in UNIT.items():
        known = teacher_costs.get(name)
        start = None if known is None else float(f"{known / 5 / unit:.2g}")
        asked = st.number_input(
            t(f"compare.goal.most_{name}"),
            0.0,
            None,
            None,
            (start or 1.0) / 5,
            format="%.4g",
            key=seeded(f"{key}-most-{name}", start if suggested else None),
            placeholder=None if known is None else t("compare.goal.teacher_has", value=WRITTEN[name](known)),
            help=t("compare.goal.most_help"),
        )
        if asked is not None:
            most[name] = asked * unit
    _hold(key, held)
    return Goals(metric, worst, most)


def _held(key: str, data: str) -> dict[str, object]:
    """Return what the fields held for this data; those of other data are taken away."""
    if st.session_state.get(f"{key}.of", data) != data:
        forms.forget(f"{key}-")
    st.session_state[f"{key}.of"] = data
    held: dict[str, object] = st.session_state.setdefault(HELD, {}).setdefault(f"{key} {data}", {})
    return held


def _hold(key: str, held: dict[str, object]) -> None:
    held |= {str(k): v for k, v in st.session_state.items() if str(k).startswith(f"{key}-")}
