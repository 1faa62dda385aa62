"""Teacher, student and soft labels in plain words, each with what the example has of it: sizes to scale, one row's shares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from kd_core.errors import KDError
from kd_core.evaluate import soft_labels
from kd_core.runs.store.folder import RunFolder
from kd_core.task import task_of
from pages.ui.charts.marks import COLOUR
from pages.ui.result import kept_rows
from pages.ui.result.differences import metric_word
from pages.ui.shared import text
from pages.ui.shared.text import Safe, escape, t

SIDE, SHOWN, CELLS = 44, 3, 3  # pixels of the teacher's square; answers and cells of a row
LEAD = 0.2  # from here on the first answer is told from the second at a glance
STYLE = """<style>
.kd-words { display: grid; grid-template-columns: repeat(auto-fit, minmax(250px, 1fr)); gap: 0.75rem; margin: 0; }
.kd-words > div { border: 1px solid var(--kd-edge); border-radius: var(--kd-radius-m); padding: 0.6rem 0.9rem; display: grid;
  grid-template-columns: 3rem 1fr; gap: 0 0.8rem; align-items: center; font-size: var(--kd-text-small); line-height: 1.4; }
.kd-words .frame { display: grid; place-items: center; width: 44px; height: 44px; }
.kd-words .frame span { display: block; min-width: 2px; min-height: 2px; }
.kd-words h2 { font-size: var(--kd-text-body); padding: 0; margin: 0 0 0.1rem; }
.kd-words p { margin: 0; }
.kd-words .wide { display: block; }
.kd-words ol { list-style: none; margin: 0.2rem 0 0; padding: 0; }
.kd-words li { margin: 0; display: grid; grid-template-columns: minmax(2.5rem, max-content) 1fr 3.2rem; gap: 0.5rem; align-items: center; font-size: var(--kd-text-small); }
.kd-words li b { font-weight: 500; }
.kd-words li i { display: block; height: 0.6rem; border-radius: 2px; }
.kd-words li span { text-align: right; font-variant-numeric: tabular-nums; }
</style>"""


@dataclass(frozen=True)
class Row:
    """A row's first cells, its label, and the teacher's likeliest answers with their shares."""

    cells: tuple[tuple[str, str], ...]
    label: str
    shares: tuple[tuple[str, float], ...]


def row_of(path: Path, result: Mapping[str, Any], student: int) -> Row | None:
    """Choose a kept row that the teacher answers rightly and with the strongest second answer; None where no shares were kept."""
    classes = result["dataset"]["classes"]
    if len(classes) < 2 or not task_of(result["task"]).has_classes:
        return None
    try:
        kept = kept_rows.load(RunFolder(path), result, student)
    except KDError:  # a run whose rows were not kept: the words stand without an example
        return None
    if kept.logits["teacher"].shape[1] != len(classes):
        return None
    p = soft_labels.soften(kept.logits["teacher"])
    second, first = np.sort(p, axis=1)[:, -2:].T
    right = np.flatnonzero((p.argmax(axis=1) == kept.labels) & (first - second >= LEAD))
    if not len(right):
        return None
    at = int(right[second[right].argmax()])
    order = np.argsort(-p[at], kind="stable")[:SHOWN]
    target = result["dataset"]["target"]
    cells = tuple((str(n), _cell(v)) for n, v in kept.rows.iloc[at].items() if n != target)[:CELLS]
    return Row(cells, str(classes[int(kept.labels[at])]), tuple((str(classes[c]), float(p[at, c])) for c in order))


def _cell(value: Any) -> str:
    return text.exact(float(value)) if isinstance(value, int | float | np.number) else text.shorten(str(value))


def show(path: Path, result: Mapping[str, Any], student: int) -> None:
    """Say what the three words mean, with the example's numbers."""
    st.html(STYLE + _html(result, student, row_of(path, result, student)))


def _html(result: Mapping[str, Any], student: int, row: Row | None) -> str:
    metric, chosen = result["metric"]["name"], result["students"][student]
    sizes = {"teacher": result["teacher"]["size_bytes"], "student": chosen["size_bytes"]}
    scores = {"teacher": result["teacher"]["metrics"][metric], "student": chosen["metrics"][metric]["mean"]}
    named = {"teacher": result["teacher"]["name"].replace("_", " "), "student": chosen["name"]}
    parts = []
    for arm in ("teacher", "student"):
        told = {"size": text.size(sizes[arm]), "metric": metric_word(metric), "score": text.score(scores[arm])}
        said = t(f"start.words.{arm}_is", name=named[arm], **told)
        parts.append(f"<div>{_square(arm, sizes)}<div><h2>{t(f'start.words.{arm}')}</h2><p>{said}</p></div></div>")
    shares = (
        f"<p>{t('start.words.soft_row', cells=', '.join(f'{n} {v}' for n, v in row.cells), label=row.label)}</p>{_bars(row)}"
        if row
        else ""
    )
    parts.append(f"<div class='wide'><h2>{t('start.words.soft')}</h2><p>{t('start.words.soft_is')}</p>{shares}</div>")
    return f"<div class='kd-words'>{''.join(parts)}</div>"


def _square(arm: str, sizes: Mapping[str, float]) -> str:
    """Draw a file as a square; areas are sizes on disk."""
    side = SIDE * math.sqrt((sizes[arm] or 0) / max(sizes.values()))
    return f"<span class='frame'><span style='width: {side:.2f}px; height: {side:.2f}px; background: {COLOUR[arm]}'></span></span>"


def _bars(row: Row) -> Safe:
    lines = "".join(
        f"<li><b>{escape(name)}</b><i style='width: {100 * share:.1f}%; background: {COLOUR['teacher']}'></i><span>{text.percent(share)}</span></li>"
        for name, share in row.shares
    )
    return Safe(f"<ol>{lines}</ol>")
