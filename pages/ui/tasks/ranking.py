"""Rows that are ranked within a group on the screens: one query with its documents, each model's order of them, and how good the orders are."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from kd_core.data.table import Profile
from kd_core.evaluate import lists
from kd_core.evaluate.answers import from_logits
from kd_core.task import task_of
from pages.ui.access import cards
from pages.ui.charts import data as data_charts
from pages.ui.charts import soft_labels as charts
from pages.ui.result.differences import arm_names
from pages.ui.result.kept_rows import Kept
from pages.ui.shared import picture, text
from pages.ui.shared.text import Safe, escape, t
from pages.ui.soft import component
from pages.ui.soft import lists as lists_live

Result = Mapping[str, Any]
ARMS = ("teacher", "baseline", "student")
LISTED = 200  # groups in a table
FIELDS = 3  # cells that tell what a row is
DEPTH = 5  # of the NDCG of one group


def by_order(task: str | None) -> bool:
    """Say whether rows are ranked within groups."""
    return task is not None and task_of(task).by_order


@dataclass(frozen=True)
class Queries:
    """The kept rows by their group. Legend: N rows, G groups. `code_N` counts groups from 0, `names` are as in the file."""

    column: str
    names: list[str]
    code_N: Any

    @classmethod
    def of(cls, kept: Kept, found: Result) -> Queries:
        """Read the groups of the rows that a run kept; without its column all rows are one."""
        column = str(found["dataset"].get("group") or "")
        values = kept.rows[column] if column in kept.rows else pd.Series([column] * len(kept.rows))
        code, names = pd.factorize(values.astype("str"))
        return cls(column, [str(n) for n in names], code)

    def ndcg(self, kept: Kept, task: str) -> dict[str, Any]:
        """Compute each model's NDCG of each group; NaN where no row of it is relevant. Shape: (G,) by arm."""
        return {
            arm: lists.ndcg(from_logits(task, kept.labels, kept.logits[arm], groups=self.code_N), DEPTH) for arm in ARMS
        }


def judged_on(found: Result) -> Safe | None:
    """Say on how many groups the models were judged; None where rows stand alone."""
    groups = found["dataset"].get("groups")
    if not groups:
        return None
    told = {name: text.exact(groups["test"][name]) for name in ("all", "relevant")}
    return t("ranking.judged_on", rows=text.exact(found["dataset"]["rows"]["test"]), **told)


def soft(kept: Kept, found: Result, index: int, stamps: Sequence[int]) -> None:
    """Draw one query's shares at any temperature, the orders side by side, and how good the orders of all queries are."""
    queries = Queries.of(kept, found)
    scores = queries.ndcg(kept, found["task"])
    fields = _fields(kept, np.arange(len(kept.labels)))
    stamp, trained = component.stamp_of(found, index, stamps), found["students"][index].get("temperature")
    data, cells = lists_live.payload(kept, stamp, queries.code_N, queries.names, scores, fields, trained)
    lists_live.show(data, cells, len(kept.labels), found, index)


def _choose(queries: Queries, scores: Mapping[str, Any], key: str) -> int:
    """Let a person choose a group; those where student and teacher order most differently come first."""
    apart = np.nan_to_num(np.abs(scores["student"] - scores["teacher"]), nan=-1.0)
    order = [int(g) for g in np.argsort(-apart, kind="stable")]
    sizes = np.bincount(queries.code_N, minlength=len(queries.names))
    return int(
        st.selectbox(
            t("ranking.query", column=queries.column or t("ranking.group")),
            order,
            key=key,
            format_func=lambda g: text.plain(
                t("ranking.query_option", name=escape(queries.names[g]), rows=text.exact(sizes[g]))
            ),
            help=t("ranking.query_help"),
        )
    )


def _common(kept: Kept, rows: Any) -> None:
    """Say what the rows of a group have in common, such as the words of the search."""
    inputs = list(kept.view.types) if kept.view else list(kept.rows.columns)
    cells = kept.rows.iloc[rows]
    same = [
        n for n in inputs if not pd.api.types.is_numeric_dtype(kept.rows[n]) and cells[n].astype("str").nunique() == 1
    ]
    told = [f"{escape(n)}: **{escape(text.shorten(str(cells[n].iloc[0]), 80))}**" for n in same[:FIELDS]]
    if told and len(rows) > 1:
        st.markdown(" · ".join(told))


def _fields(kept: Kept, rows: Any) -> dict[str, list[str]]:
    """Take the first cells that tell what a row is: its texts, then words that are not the same for all, then other columns."""
    shown = [kept.shown(int(row)) for row in rows]
    told = [{**one.texts, **one.fields} for one in shown]
    inputs = set(kept.view.types) if kept.view else set(told[0])
    differ = [name for name in told[0] if name in inputs and len({one.get(name) for one in told}) > 1]
    names = sorted(differ, key=lambda name: pd.api.types.is_numeric_dtype(kept.rows[name]))[:FIELDS]
    return {name: [str(one.get(name, "")) for one in told] for name in names}


def quality(queries: Queries, scores: Mapping[str, Any], key: str) -> None:
    """Draw how the NDCG of the groups is spread for each model, and list the groups where the student lost most."""
    known = ~np.isnan(scores["teacher"])
    st.markdown(f"**{t('ranking.spread')}**")
    if not known.any():
        st.markdown(t("ranking.none_relevant"))
        return
    means = {arm: float(scores[arm][known].mean()) for arm in ARMS}
    fig = charts.spread(
        {arm: scores[arm][known].tolist() for arm in ARMS},
        names=arm_names(),
        x_title=t("ranking.spread_x"),
        y_title=t("ranking.spread_y"),
    )
    note = t("ranking.spread_said", num=text.exact(int(known.sum())), **{a: text.score(v) for a, v in means.items()})
    left, right = st.columns(2, gap="large")
    with left:
        picture.show(fig, f"ranking-spread-{key}", note)
        without = int((~known).sum())
        st.caption(f"{note} {t('ranking.left_out', num=text.exact(without))}" if without else note)
    with right:
        order = [g for g in np.argsort(scores["student"] - scores["teacher"], kind="stable") if known[g]][:LISTED]
        frame = pd.DataFrame(
            {
                (queries.column or str(t("ranking.group"))): [queries.names[g] for g in order],
                str(t("ranking.rows")): np.bincount(queries.code_N)[order],
                **{arm_names()[arm]: scores[arm][order].round(3) for arm in ARMS},
            }
        )
        cards.table(frame, hide_index=True, height=min(38 * (len(frame) + 1), 320), alt=t("ranking.worst"))
        st.caption(t("ranking.worst"))


def mistakes(kept: Kept, found: Result) -> None:
    """Draw what stands in place of a confusion matrix: how good the order of each group is."""
    queries = Queries.of(kept, found)
    quality(queries, queries.ndcg(kept, found["task"]), "mistakes")


def beside(kept: Kept, found: Result) -> None:
    """Show one group's rows in each model's order, side by side, best on top."""
    queries = Queries.of(kept, found)
    at = _choose(queries, queries.ndcg(kept, found["task"]), f"try-query-{found['run_id']}")
    rows = np.flatnonzero(queries.code_N == at)
    _common(kept, rows)
    scores = queries.ndcg(kept, found["task"])
    told = _fields(kept, rows)
    for place, arm in zip(st.columns(len(ARMS)), ARMS, strict=True):
        with place, st.container(border=True):
            value = scores[arm][at]
            head = text.score(float(value)) if np.isfinite(value) else "–"
            st.markdown(f"**{arm_names()[arm]}**  \n{t('ranking.ndcg_here', value=head)}")
            order = np.argsort(-kept.logits[arm][rows, 0], kind="stable")
            frame = pd.DataFrame(
                {
                    str(t("ranking.grade")): [f"{kept.labels[rows[i]]:g}" for i in order],
                    str(t("ranking.row")): [str(int(kept.row_ids[rows[i]]) + 1) for i in order],
                    **{name: [cells[i] for i in order] for name, cells in list(told.items())[:1]},
                }
            )
            cards.table(frame, hide_index=True, height=min(38 * (len(frame) + 1), 420), alt=t("ranking.orders"))
    st.caption(t("ranking.beside_note"))


def is_understood(found: Profile, group: str | None) -> bool:
    """Say whether `understood` draws the groups and their grades."""
    return by_order(found.task) and found.target is not None and group is not None and group in found.frame


def understood(found: Profile, group: str | None) -> None:
    """Draw how many rows the groups have and how often each grade occurs; without a group column ask for one."""
    if not by_order(found.task) or found.target is None:
        return
    if group is None or not is_understood(found, group):
        st.warning(t("ranking.no_group"), icon=":material/account_tree:")
        return
    sizes = found.frame[group].value_counts().to_numpy()
    edges = np.unique(
        np.round(np.linspace(sizes.min(), sizes.max() + 1, min(20, int(sizes.max() - sizes.min()) + 1) + 1))
    )
    counts = np.histogram(sizes, edges)[0]
    labels = [f"{int(a)}" if b - a <= 1 else f"{int(a)} – {int(b) - 1}" for a, b in itertools.pairwise(edges)]
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**{t('ranking.sizes', column=group)}**")
        fig = data_charts.distribution(labels, counts.tolist(), t("ranking.sizes_x"), t("ranking.sizes_y"))
        said = t(
            "ranking.sizes_said" if sizes.min() < sizes.max() else "ranking.sizes_same",
            num=text.exact(len(sizes)),
            least=text.exact(sizes.min()),
            middle=text.exact(round(float(np.median(sizes)))),
            most=text.exact(sizes.max()),
        )
        if sizes.min() < sizes.max():
            picture.show(fig, "ranking-sizes", said)
        st.caption(said)
    with right:
        st.markdown(f"**{t('ranking.grades', column=found.target)}**")
        names, of = found.column(found.target).histogram
        fig = data_charts.distribution(names, of, found.target, t("ranking.grades_y"))
        y = pd.to_numeric(found.frame[found.target], errors="coerce")
        nothing = int((~(y > 0).groupby(found.frame[group], observed=True).any()).sum())
        said = t("ranking.grades_said", num=text.exact(nothing)) if nothing else t("ranking.grades_every")
        picture.show(fig, "ranking-grades", said)
        st.caption(said)
