"""What a what-if answers, in one line, and behind it every value with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from kd_core import written
from kd_core.errors import KDError
from kd_core.runs.settings import reading, sentence, short_line
from kd_core.runs.settings.answers import Answer, Answers, Setting
from kd_core.runs.settings.sentence import Unit
from kd_core.runs.store.folder import ACTIVE
from pages.ui.shared import text
from pages.ui.shared.text import Safe, escape, t
from pages.ui.what_if.answers.typeset import typeset
from pages.ui.what_if.whatif_words import FEW_SEEDS

KEY = "whatif.answer"
ICON = {
    "best": "star",
    "enough": "check",
    "worse": "trending_down",
    "unclear": "help",
    "same": "drag_handle",
    "waiting": "hourglass_empty",
    "stopped": "stop",
    "failed": "block",
}


def of_run(found: Mapping[str, Any] | None, snapshot: Any) -> Answers | None:
    """Say what a what-if that has ended answers, and return it; one without a result, what its trainings came to."""
    if snapshot.spec.sweep is None:
        return None
    if found is None or not found.get("students"):
        return so_far(snapshot)
    try:
        told = reading.of_result(found, snapshot.spec)
    except KDError as error:
        text.show_error(error)
        return None
    show(told, str(found["metric"]["name"]))
    return told


def so_far(now: Any) -> Answers | None:
    """Say what is known while a what-if goes on, and return it."""
    metric = str((now.plan or {}).get("metric") or "")
    if now.sweep is None or not metric:
        return None
    told = reading.of_progress(now.sweep.cells, now.spec, metric, now.state in ACTIVE)
    if told.best is None:
        return None
    show(told, metric)
    return told


def show(told: Answers, metric: str) -> None:
    """Draw the line in short, and one fold away the numbers behind it and how it is meant."""
    unit = reading.unit_of(metric)
    with st.container(key=KEY):
        st.markdown(f"##### {escape(typeset(short_line.line(told, unit)))}", help=t("what_if.answer.help"))
        if told.best is not None and told.settings:
            with st.expander(t("what_if.answer.full"), key=f"{KEY}-full"):
                with st.container(key=f"{KEY}-long"):
                    st.markdown(escape(typeset(sentence.line(told, unit))))
                st.caption(_meant(told, unit))


def values(told: Answers | None, metric: str) -> None:
    """Draw the values behind the line, one fold away."""
    if told is None or told.best is None or not told.settings:
        return

    @st.fragment
    def fold() -> None:
        label = t("what_if.answer.values", num=sum(len(s.answers) for s in told.settings))
        values = st.expander(label, key=f"{KEY}-values", on_change="rerun")
        if values.open:  # every cell costs the browser as much in a closed fold as in sight
            values.table(_table(told, reading.unit_of(metric)), border="horizontal")
            values.caption(t("what_if.answer.pair", num=told.compared))

    fold()


def _meant(told: Answers, unit: Unit) -> Safe:
    """Say what the line is about, and what "will do" means where it says so."""
    said = [t("what_if.answer.meant", best=typeset(sentence.best(told)), seeds=told.seeds)]
    if 1 < told.seeds < FEW_SEEDS:  # with one there are no intervals, which is said elsewhere
        said.append(t("what_if.answer.few_seeds", num=told.seeds))
    if any(s.having("enough") for s in told.settings):
        said.append(t("what_if.answer.will_do", margin=f"{written.number(unit.factor * told.margin, 3)} {unit.name}"))
    return Safe(" ".join(said))


def _table(told: Answers, unit: Unit) -> pd.DataFrame:
    k, rows = "what_if.answer.", []
    for setting in told.settings:
        for one in setting.answers:
            rows.append(_row(setting, one, unit))
    names = [str(t(f"{k}{n}")) for n in ("setting", "word", "alone", "behind", "seeds", "need")]
    return pd.DataFrame(rows, columns=names).set_index(names[0])


def _row(setting: Setting, one: Answer, unit: Unit) -> list[str]:
    found = one.behind
    return [
        escape(typeset(sentence.named(setting.name, one.value))),
        f":material/{ICON[one.word]}: {t(f'what_if.answer.is.{one.word}')}",
        "–" if found is None else escape(unit.alone(one)),
        "–" if found is None else escape(unit.amount(one)),
        "–" if found is None else str(found.n),
        "–" if found is None or found.need is None else text.exact(found.need),
    ]
