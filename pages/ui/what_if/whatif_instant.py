"""What T and alpha would do, before anything is trained: computed from the answers that a teacher has already given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from kd_core.errors import KDError
from kd_core.evaluate import soft_labels
from kd_core.specs import Choice, DatasetSpec
from kd_core.task import task_of
from pages.ui.charts import soft_labels as charts
from pages.ui.runs import softening
from pages.ui.shared import forms, picture, text
from pages.ui.shared.text import t, term

ROWS = 2_000  # rows looked at; evenly spaced over those of the part
TEMPERATURES = tuple(forms.log_steps(0.5, 20, 1, 1.5, 2, 3, 4, 6, 8, 12, 16))
KEY = "whatif-instant"


@dataclass(frozen=True)
class Softening:
    """Means over rows, one value per temperature of `TEMPERATURES`. Units: entropy in nats, the others shares of one.

    `soft_to_hard` is the share of the soft gradient at alpha 0.5, from which any alpha follows.
    """

    entropy: tuple[float, ...]
    beside_top: tuple[float, ...]
    beside_true: tuple[float, ...]
    soft_to_hard: tuple[float, ...]
    num_classes: int
    rows: int
    rows_of: int
    stale: bool
    part: str = "validation"

    def soft_share(self, at: int, alpha: float) -> float:
        """Share of the teacher term in a beginner's gradient: alpha S / (alpha S + (1 - alpha) H)."""
        s = self.soft_to_hard[at]
        soft, hard = alpha * s, (1.0 - alpha) * (1.0 - s)
        return soft / (soft + hard) if soft + hard else 0.0


def soften_all(
    logits: Any, labels: Any, *, stale: bool = False, most: int = ROWS, part: str = "validation"
) -> Softening:
    """Compute every curve of the panel. Shape: logits (V, C), labels (V,) classes."""
    num = len(labels)
    rows = np.unique(np.linspace(0, num - 1, min(num, most)).astype(int))
    z, y = np.asarray(logits[rows], np.float64), np.asarray(labels[rows]).astype(int)
    beginner = np.zeros_like(z)  # a student that has learned nothing finds all classes alike
    found: dict[str, list[float]] = {"entropy": [], "top": [], "true": [], "soft": []}
    for temperature in TEMPERATURES:
        p = soft_labels.soften(z, temperature)
        found["entropy"].append(float(soft_labels.entropy(p).mean()))
        found["top"].append(float(soft_labels.dark_knowledge(p).mean()))
        found["true"].append(float(1.0 - p[np.arange(len(y)), y].mean()))
        found["soft"].append(soft_labels.effective_soft_share(z, beginner, y, temperature, 0.5))
    return Softening(
        *(tuple(found[n]) for n in ("entropy", "top", "true", "soft")), z.shape[1], len(rows), num, stale, part
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def _read(dataset_json: str, teacher_json: str, stamp: int) -> Softening | None:
    found = softening.kept(dataset_json, teacher_json)
    if found is None:
        return None
    return soften_all(found.logits, found.labels, stale=found.stale, part=found.part)


def read(dataset: DatasetSpec, teacher: dict[str, Any]) -> Softening | None:
    """Return the curves of a teacher that has answered for this data, or None; read again only when answers were added.

    Errors: KDError for a teacher that does not exist.
    """
    return _read(dataset.to_json(), Choice.parse(teacher).to_json(), softening.stamp())


def show(dataset: DatasetSpec, task: str, teacher: dict[str, Any]) -> None:
    """Draw the panel; only this part is drawn again when a slider moves."""
    with st.container(border=True, key="whatif-instant"):
        st.subheader(t("what_if.instant.title"), help=t("what_if.instant.help"), anchor=False)
        if task_of(task).compact:
            st.caption(t("what_if.instant.catalogue"))
            return
        if not task_of(task).has_classes:
            st.caption(t(_why_none(task)))
            return
        try:
            found = read(dataset, teacher)
        except (KDError, OSError) as error:
            text.show_error(error)
            return
        if found is None:
            st.info(t("what_if.instant.later"), icon=":material/hourglass_empty:")
            return
        _body(found)


@st.fragment
def _body(found: Softening) -> None:
    left, right = st.columns([2, 3], gap="large")
    with left:
        temperature = float(
            st.select_slider(
                forms.label("temperature"),
                TEMPERATURES,
                key=forms.seed(f"{KEY}-T", 4.0),
                format_func=lambda v: f"{v:g}",
                help=term("temperature"),
            )
        )
        place = forms.seed(f"{KEY}-alpha", 0.5)
        alpha = float(st.slider(forms.label("alpha"), 0.0, 1.0, key=place, step=0.05, help=term("alpha")))
        at = TEMPERATURES.index(temperature)
        _numbers(found, at, TEMPERATURES.index(1.0), alpha)
    with right:
        most = np.log(found.num_classes)
        shares = [found.soft_share(i, alpha) for i in range(len(TEMPERATURES))]
        drawn = (
            ("soft_share", "soft_share", shares),
            ("entropy_line", "entropy", [e / most for e in found.entropy]),
            ("dark", "beside_top", found.beside_top),
            ("wrong", "beside_true", found.beside_true),
        )
        lines = [{"name": t(f"what_if.instant.{word}"), "part": part, "values": values} for word, part, values in drawn]
        figure = charts.over_temperature(
            lines, TEMPERATURES, at, x_title=t("what_if.instant.x"), y_title=t("what_if.instant.y")
        )
        told = {"soft": shares[at], "dark": found.beside_top[at], "wrong": found.beside_true[at]}
        told = {n: text.percent(v) for n, v in told.items()}
        note = t("findings.softening", t=f"{temperature:g}", entropy=f"{found.entropy[at]:.2f}", **told)
        picture.show(figure, f"{KEY}-chart", note)
    st.caption(
        t(
            "what_if.instant.rows" if found.part == "validation" else "what_if.instant.rows_example",
            rows=text.exact(found.rows),
            of=text.exact(found.rows_of),
        )
        + (f" {t('what_if.instant.stale')}" if found.stale else "")
    )


def _numbers(found: Softening, at: int, plain: int, alpha: float) -> None:
    """Three numbers with what they are at T = 1."""

    def told(place: int) -> dict[str, str]:
        return {
            "entropy": t("what_if.instant.nats", value=f"{found.entropy[place]:.2f}"),
            "dark": text.percent(found.beside_top[place]),
            "wrong": text.percent(found.beside_true[place]),
            "soft_share": text.percent(found.soft_share(place, alpha)),
        }

    before, now = told(plain), told(at)
    top = {"now": text.percent(1 - found.beside_top[at], 0), "before": text.percent(1 - found.beside_top[plain], 0)}
    st.markdown(t("what_if.instant.said", t=f"{TEMPERATURES[at]:g}", **top))
    cells = [place for _ in range(0, len(now), 2) for place in st.columns(2)]  # a row each, so that they stand in line
    for (key, value), place in zip(now.items(), cells, strict=True):
        with place:
            st.metric(
                t(f"what_if.instant.{key}"),
                value,
                delta=t("what_if.instant.at_one", value=before[key]),
                delta_color="off",
                delta_arrow="off",
                help=t(f"what_if.instant.{key}_help"),
            )


def _why_none(task: str) -> str:
    """Name the words for a task whose answers are not one share for each class."""
    kind = task_of(task)
    if kind.each_alone:
        return "labels.instant"
    if kind.by_order:
        return "what_if.instant.order"
    return "what_if.instant.several" if kind.target == "several" else "what_if.instant.regression"
