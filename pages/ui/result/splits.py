"""A run repeated on several random splits: the gain on each, and how it spreads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from kd_core.runs.outcome import read_outcome
from kd_core.runs.store.measured import read_gain
from pages.ui.access import cards
from pages.ui.charts import result as charts
from pages.ui.result import differences, verdict
from pages.ui.result.differences import Written
from pages.ui.shared import picture
from pages.ui.shared.text import t

Result = Mapping[str, Any]


def show(found: Result, index: int) -> None:
    """Draw chart and table of a run with more than one split; nothing for others."""
    read = read_outcome(found)
    gains = verdict.split_gains(read, index)
    if len(gains) < 2:
        return
    name = read.metric.name
    factor = 100.0 if differences.is_share(name) else 1.0
    st.markdown(f"**{t('runs.splits.title')}**")
    left, right = st.columns(2, gap="large")
    with left:
        unit = f" ({t('runs.verdict.points_word')})" if factor > 1 else ""
        fig = charts.splits(
            [seed for seed, _, _ in gains],
            [factor * g.mean for _, g, _ in gains],
            *(
                [None if v is None else factor * v for v in side]
                for side in zip(*((g.low, g.high) for _, g, _ in gains), strict=True)
            ),
            x_title=f"{t('runs.splits.axis', metric=differences.metric_title(name))}{unit}",
            split_title=f"{t('runs.splits.split')} {{seed}}",
            name=t("runs.splits.gain"),
            height=110 + 34 * len(gains),
        )
        alt = verdict.judge(found, index).splits
        picture.show(fig, "splits", alt or t("runs.splits.title"))
    with right:
        cards.table(frame(found, index), hide_index=True, height="content", alt=t("runs.splits.title"))
    st.caption(t("runs.splits.note"))


def frame(found: Result, index: int) -> pd.DataFrame:
    """Lay the splits out as text, the mean in the last line."""
    name = found["metric"]["name"]
    rows = found["splits"]["done"]
    gains = [read_gain(r["students"][index]["gain"]) for r in rows]
    away = [read_gain(v) if (v := r["students"][index].get("versus_teacher")) else None for r in rows]
    written = Written.of(name, gains[0])
    k = "runs.splits."
    columns = [str(t(f"{k}{c}")) for c in ("split", "gain", "word", "teacher")]
    lines = [
        (
            str(r["split_seed"]),
            written.cell(g),
            str(t(f"runs.short.{r['students'][index]['verdict']}")),
            written.cell(a) if a else "–",
        )
        for r, g, a in zip(rows, gains, away, strict=True)
    ]
    known = [a.mean for a in away if a is not None]
    lines.append(
        (
            str(t(f"{k}mean")),
            written.signed(sum(g.mean for g in gains) / len(gains)),
            "",
            written.signed(sum(known) / len(known)) if known else "–",
        )
    )
    return pd.DataFrame(lines, columns=columns)
