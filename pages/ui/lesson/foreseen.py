"""What the lesson on the form would do with the answers that are kept of its teacher; nothing is trained for it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.specs import LABELS, Choice, DatasetSpec, RunSpec
from kd_core.task import CLASSIFICATION, task_of
from pages.ui.charts import lesson as charts
from pages.ui.lesson import builder
from pages.ui.lesson.moved import part_name
from pages.ui.runs import softening
from pages.ui.shared import picture, text
from pages.ui.shared.text import Safe, escape, t, term


def heard(run: RunSpec, mode: Choice) -> dict[str, Any]:
    """Return the lesson that students of a run hear in a mode."""
    from kd_core.runs.cells.modes import carried_out

    told: dict[str, Any] = carried_out(run.model_copy(update={"mode": mode})).objective.model_dump(mode="json")
    return told


def show(dataset: DatasetSpec, task: str, teacher: Choice, lesson: dict[str, Any]) -> None:
    """Show what T does to an answer this teacher really gave, and what would move the student; say when there is none yet."""
    if not CLASSIFICATION(task_of(task)):
        return
    try:
        found = softening.answers(dataset, teacher)
    except KDError:  # what is wrong with the teacher is said where it is chosen, and where the run is started
        return
    if found is None:
        st.caption(t("distill.picture_later"))
        return
    temperature = builder.temperature(lesson)
    # Not one fold away on a phone: a chart in a closed fold took Chromium's tab down where less motion is asked for.
    with st.container(border=True, key="distill-foreseen"):
        if temperature is None:
            _shares(found, lesson)
            return
        drawn, told = st.columns([6, 5], gap="large", vertical_alignment="center")
        with drawn:
            note = _softened(found, temperature)
        with told:
            _entropies(found, temperature, note)
            _shares(found, lesson)


def _softened(found: softening.Answers, temperature: float) -> Safe:
    plain, plain_nats = found.at(1.0)
    soft, nats = found.at(temperature)
    figure = charts.softened(found.classes, plain, soft, t("distill.plain"), t("distill.soft", t=f"{temperature:g}"))
    note = t("distill.picture_note", plain=f"{plain_nats:.2f}", soft=f"{nats:.2f}")
    picture.show(figure, "distill-picture", note)
    return note


def _entropies(found: softening.Answers, temperature: float, note: Safe) -> None:
    st.caption(note, help=term("temperature"))
    nats_of_all, on_truth = found.over_rows(temperature)
    rows = {"rows": text.exact(len(found.labels)), "of": text.exact(found.rows_of)}
    means = {"t": f"{temperature:g}", "nats": f"{nats_of_all:.2f}", "mass": text.percent(on_truth)}
    key = "distill.picture_rows" if found.part == "validation" else "distill.picture_rows_example"
    st.caption(t(key, **rows, **means), help=term("entropy"))


def _shares(found: softening.Answers, lesson: dict[str, Any]) -> None:
    from kd_core.distill.foreseen import unforeseen

    try:
        taught = Choice.parse(lesson)
        shares, later = found.shares(taught), unforeseen(taught)
    except KDError:  # what stands in the lesson's way is said where the run is started
        return
    if shares:
        parts = [
            t("runs.moved.part", share=text.percent(share), name=part_name(name))
            for name, share in shares.items()
            if share or name != LABELS
        ]
        st.caption(t("distill.terms.foreseen", parts=Safe(", ".join(parts))), help=term("effective_share"))
    if later:
        names = Safe(", ".join(escape(part_name(name)) for name in later))
        st.caption(t("distill.terms.foreseen_later", names=names))
