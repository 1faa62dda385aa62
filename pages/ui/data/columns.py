"""The table of columns, the chart of one, and what can be changed about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import pandas as pd
import streamlit as st

from kd_core.data.table import ColumnProfile, Profile
from kd_core.errors import Problem
from kd_core.specs import ColumnKind
from pages.ui.access import cards
from pages.ui.charts import data as charts
from pages.ui.data import mending
from pages.ui.shared import findings, picture
from pages.ui.shared.text import escape, exact, t, term

KINDS = [k for k in get_args(ColumnKind) if k not in ("constant", "picture", "items")]
NAMED, FEW = ("category", "boolean"), 6  # kinds whose values have names; more of them lie, so that they can be read


def table(found: Profile) -> str | None:
    """Draw one row per column; return the name of the chosen one."""
    rows = found.num_rows or 1
    frame = pd.DataFrame(
        {
            "name": [c.name for c in found.columns],
            "kind": [t(f"data.kinds.{c.kind}") for c in found.columns],
            "missing": [100 * c.missing / rows for c in found.columns],
            "distinct": [c.distinct for c in found.columns],
            "example": [", ".join(c.examples) for c in found.columns],
            "distribution": [list(drawn(c)[1]) for c in found.columns],
            "link": [c.target_link for c in found.columns],
            "use": [_use(c, found) for c in found.columns],
        }
    )
    config = st.column_config
    event = cards.table(
        frame,
        hide_index=True,
        height=min(460, 40 + 36 * len(frame)),
        row_height=36,
        key="data-columns",
        on_select="rerun",
        selection_mode="single-row",
        alt=t("data.columns_alt"),
        column_config={
            "name": config.TextColumn(t("data.column.name"), width=160, pinned=True),  # room for the last column
            "kind": config.TextColumn(t("data.column.kind"), width="small"),
            "missing": config.NumberColumn(t("data.column.missing"), format="%.1f %%", width="small"),
            "distinct": config.NumberColumn(t("data.column.distinct"), format="localized", width="small"),
            "example": config.TextColumn(t("data.column.example"), width="medium"),
            "distribution": config.BarChartColumn(t("data.column.distribution"), width=110, y_min=0),
            "link": config.ProgressColumn(
                t("data.column.link"), min_value=0, max_value=1, format="%.2f", width="small", help=term("link")
            ),
            "use": config.TextColumn(t("data.column.use"), width="medium"),
        },
    )
    picked = event["selection"]["rows"]
    if picked and picked[0] < len(found.columns):
        return found.columns[picked[0]].name
    return found.target


def _use(column: ColumnProfile, found: Profile) -> str:
    if column.name == found.target:
        return str(t("data.use.target_unsure" if found.candidates else "data.use.target"))
    return (
        str(t("data.use.feature")) if column.used else str(t("data.use.dropped", why=column.why_dropped or "")).strip()
    )


def drawn(column: ColumnProfile) -> tuple[Sequence[str], Sequence[int], int]:
    """Return the bars of a column, and how many rows have none: the sum of rare values would be the highest of all."""
    labels, counts = column.histogram
    if column.kind in NAMED and column.distinct > len(labels) > 1:
        return labels[:-1], counts[:-1], counts[-1]
    return labels, counts, 0


def detail(column: ColumnProfile, found: Profile, choices: dict[str, Any], above: bool = False) -> None:
    """Draw the chart of a column, with its controls beside it; `above`: the target is drawn already."""
    left, right = st.columns([3, 1], gap="large", vertical_alignment="center")
    with left:
        labels, counts, others = drawn(column)
        if above and column.name == found.target:
            st.caption(t("data.drawn_above"))
        elif counts:
            draw = charts.named if column.kind in NAMED and len(counts) > FEW else charts.distribution
            figure = draw(labels, counts, column.name, t("data.rows_axis"))
            picture.show(figure, "data-chart", findings.of_column(column.name, labels, counts))
            if others:
                told = {"num": len(counts), "of": exact(column.distinct), "rows": exact(others)}
                st.caption(t("data.most_frequent", **told))
        else:
            st.caption(t("data.pictures" if column.kind == "picture" else "data.no_values"))
    with right:
        st.markdown(f"**{escape(column.name)}**")
        if column.minimum is not None and column.maximum is not None:
            st.caption(t("data.range", low=exact(column.minimum), high=exact(column.maximum)))
        if column.name == found.target:
            st.caption(t("data.is_target_unsure" if found.candidates else "data.is_target"))
        else:
            controls(column, choices, "detail")


def controls(column: ColumnProfile, choices: dict[str, Any], place: str) -> None:
    """Let the person decide whether a column is used, and as what."""
    dropped = column.name in (choices.get("drop") or ())
    if not column.used and not dropped:  # nobody asked for it: there is nothing to switch off
        used = True
        st.caption(t("data.left_out", why=column.why_dropped or ""))
    else:
        used = st.toggle(
            t("data.use_column"),
            value=not dropped,
            key=f"data.{place}.use.{column.name}",
            help=t("data.use_column_help"),
        )
    given = (choices.get("kinds") or {}).get(column.name)
    options = [None, *(KINDS if column.kind != "picture" else ())]
    options += [given] if given not in options else []
    kind = st.selectbox(
        t("data.treat_as"),
        options,
        index=options.index(given),
        key=f"data.{place}.kind.{column.name}",
        format_func=lambda k: (
            t("data.kind_auto", kind=t(f"data.kinds.{column.kind}")) if k is None else t(f"data.kinds.{k}")
        ),
        help=t("data.treat_as_help"),
        placeholder=t("data.kind_auto", kind=t(f"data.kinds.{column.kind}")),
        disabled=not used,
    )
    drop = [n for n in choices.get("drop") or () if n != column.name] + ([] if used else [column.name])
    kinds = {n: k for n, k in (choices.get("kinds") or {}).items() if n != column.name} | (
        {column.name: kind} if kind else {}
    )
    if set(drop) != set(choices.get("drop") or ()) or kinds != (choices.get("kinds") or {}):
        choices["drop"], choices["kinds"] = drop, kinds
        for other in [k for k in st.session_state if str(k).startswith(("data.detail.", "data.fix-"))]:
            if not str(other).startswith(f"data.{place}."):
                del st.session_state[other]
        st.rerun()


def _own(found: Problem) -> str:
    """Name a finding's window after what it is about: when an earlier one is mended, no window changes its owner."""
    about = found.column or "-".join(map(str, found.values.get("columns", ())))
    return f"data-fix-{found.code}-{about}"


def problem(found: Problem, profile: Profile, choices: dict[str, Any], number: int) -> None:
    """Draw one finding with the controls that mend it."""
    marks: Mapping[str, str] = {"error": ":red[:material/cancel:]", "warning": ":orange[:material/warning:]"}
    key = f"data-finding-{number}"
    with st.container(horizontal=True, vertical_alignment="center", wrap=False, gap="small", key=key):
        st.markdown(
            f"{marks.get(found.severity, ':gray[:material/info:]')} {escape(found.message)} :gray[{escape(found.hint)}]",
            width="stretch",
        )
        if mending.offers(found):
            with st.popover(t("data.change"), key=_own(found)):
                mending.draw(found, profile, choices, f"fix-{number}")
            return
        known = {c.name: c for c in profile.columns}
        names = [n for n in ([found.column] if found.column else found.values.get("columns", ())) if n in known]
        names = [n for n in names if n != profile.target]
        if names and found.severity != "note":
            with st.popover(t("data.change"), key=_own(found)):
                name = (
                    st.selectbox(t("data.column.name"), names, key=f"data-fix-column-{number}")
                    if len(names) > 1
                    else names[0]
                )
                controls(known[name], choices, f"fix-{number}")  # a column may have several findings
