"""The teacher of a run asked about a changed row: a file or an earlier run at once, an address when a person says so, others not."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import streamlit as st

from kd_core.data.plain.questions import Questions
from kd_core.errors import KDError
from kd_core.runs.store.folder import RunFolder
from kd_core.task import task_of
from pages.ui.shared import text
from pages.ui.shared.text import t
from pages.ui.try_it.models import Reply, of_row


@st.cache_resource(max_entries=4, show_spinner=False)
def _opened(path: str, changed_ns: int) -> Any:
    """Prepare the data of a run as the run did, and open its teacher for them. Errors: KDError."""
    from kd_core.data.preparation import prepare
    from kd_core.teachers.base import without_own_columns
    from kd_core.teachers.live import opening

    spec = RunFolder(path).spec()
    dataset = prepare(without_own_columns(spec.dataset, spec.teacher))
    return dataset, opening.opened(dataset, spec.teacher)


def asked(
    folder: RunFolder,
    found: Mapping[str, Any],
    kept: pd.DataFrame,
    row: Mapping[str, Any],
    questions: Questions,
    key: str,
) -> Reply | None:
    """Return what the teacher says to a row; None, with the reason on the page, where it can't, or was not told to.

    `questions`: what the numbers of an answer say; `kept`: the row that the changed one began with, with all columns of the data.
    """
    from kd_core.specs import Choice
    from kd_core.teachers.live import opening

    try:
        chosen = found["spec"]["teacher"] if "spec" in found else folder.spec().teacher
        teacher = chosen if isinstance(chosen, Choice) else Choice.model_validate(chosen)
        if reason := opening.why_not(teacher):
            st.caption(t("try_it.teacher_not", reason=reason))
            return None
        if away := opening.sends(teacher):
            hosts = ", ".join(urlsplit(str(one.settings.get("url", ""))).hostname or one.name for one in away)
            st.caption(f":material/upload: {t('try_it.teacher_sends')}")
            if not st.button(t("try_it.teacher_send", host=hosts), key=f"{key}.send", icon=":material/send:"):
                return None
        with st.spinner(t("try_it.teacher_opening")):
            dataset, model = _opened(str(folder.path), folder.spec_path.stat().st_mtime_ns)
            before = time.perf_counter()
            z = np.asarray(model.ask(changed(kept, row)), np.float64)
            seconds = time.perf_counter() - before
    except KDError as error:
        text.show_error(error)
        return None
    if np.isnan(z).any():
        st.caption(t("try_it.teacher_unknown"))
        return None
    return of_row(questions, task_of(dataset.task).table(z, dataset.target_mean, dataset.target_std)[0], seconds)


def changed(kept: pd.DataFrame, row: Mapping[str, Any]) -> pd.DataFrame:
    """Put the values of a form into a row of the data, in the form that its columns have. Shape: one row -> one row."""
    new = {}
    for name in kept.columns:
        if name not in row:
            new[name] = kept[name]
            continue
        value, kind = row[name], kept[name].dtype
        plain = pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_datetime64_any_dtype(kind)
        try:
            new[name] = pd.Series([value], index=kept.index, dtype=kind if plain else "object")
        except (TypeError, ValueError):  # a missing number where all are whole ones, or a time that is none
            new[name] = pd.Series([value], index=kept.index, dtype="object")
    return pd.DataFrame(new, index=kept.index)
