"""The tab of a result where a person asks its models: fill in a row, and see who answers what in which time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from kd_core.data.plain.questions import Questions
from kd_core.errors import KDError
from kd_core.runs.predictor import Predictor
from kd_core.runs.store.folder import MODEL, RunFolder
from kd_core.runs.store.kept_as import alone_as, taken_as
from kd_core.task import task_of
from pages.ui.compress import naming
from pages.ui.result import differences, kept_rows, speed
from pages.ui.shared import text
from pages.ui.shared.text import escape, t
from pages.ui.tasks import next_item, ranking
from pages.ui.try_it import models, row_form, said, service, teacher


def show(folder: RunFolder, found: Mapping[str, Any], index: int) -> None:
    """Draw the form and the answers to what it holds."""
    try:
        changed = (folder.path / MODEL).stat().st_mtime_ns if (folder.path / MODEL).is_file() else 0
        asked = {name: models.opened(str(folder.path), changed, name) for name in models.names(found, index)}
        rows = kept_rows.load(folder, found, index)
    except KDError as error:
        text.show_error(error)
        return
    first = next(iter(asked.values()))
    types = (first.deployed.reader if first.deployed else first.engine.reader).types
    if ranking.by_order(found["task"]):
        ranking.beside(rows, found)
        st.markdown(f"**{t('ranking.try_one')}**")
    st.caption(t("try_it.lead"))
    key = f"try.{folder.id}"
    at = int(st.number_input(t("try_it.row"), 1, len(rows.rows), 1, key=f"{key}.row", help=t("try_it.row_help"))) - 1
    start = row_form.filled(types, rows.rows.iloc[at].to_dict())
    with st.container(border=True):  # not a form: answers to a row that has changed since would stand below it
        row = row_form.fields(types, start, rows.rows, f"{key}.{at}")
        st.button(t("try_it.ask"), key=f"{key}.ask", type="primary", icon=":material/question_answer:")
    try:
        replies = {name: models.ask(model, row) for name, model in asked.items()}
    except KDError as error:
        text.show_error(error)
        return
    same = all(_same(row[name], start.get(name)) for name in types)
    questions = first.purpose.questions
    live = None if same else teacher.asked(folder, found, rows.rows.iloc[[at]], row, questions, f"{key}.teacher")
    away = service.asked(row, types, first.purpose, f"{key}.service")
    spoken = [*replies.values(), *([away[1]] if away else [])]
    for line in dict.fromkeys(line for reply in spoken for line in reply.said):  # before an answer that rests on it
        st.markdown(f":orange[:material/warning:] {escape(line)}")
    if gaps := [name for name in types if row[name] is None]:
        st.caption(t("try_it.gaps", names=", ".join(gaps)))
    bare = [name for name, model in asked.items() if _is_baseline(name, model)]
    _told(found, index, bare, questions, replies, rows if same else None, at, live, away)


def _is_baseline(name: str, model: Predictor) -> bool:
    return name.startswith(alone_as("")) or model.student.get("arm") == "baseline"


def _same(given: Any, kept: Any) -> bool:
    if given is None:
        return not isinstance(kept, bytes) and bool(pd.isna(kept))
    return bool(given == kept) or str(given) == str(kept)


def _told(
    found: Mapping[str, Any],
    index: int,
    bare: Sequence[str],
    questions: Questions,
    replies: Mapping[str, models.Reply],
    rows: kept_rows.Kept | None,
    at: int,
    live: models.Reply | None,
    away: tuple[str, models.Reply] | None,
) -> None:
    """Lay the answers out; of rows that the run kept, as long as nothing was changed, those of teacher and baseline are known.

    `bare`: which of the models is the baseline; then it answers by itself. `live`: what the teacher says to a changed row, where it can be
    asked. `away`: a service that was asked, and what it says.
    """
    spoken: list[tuple[str, models.Reply, str]] = []
    if rows is not None:
        task, scale = task_of(found["task"]), found["artifacts"]
        st.markdown(f"**{t('try_it.truth')}** {escape(said.truth(questions, rows.labels[at]))}")
        for arm in ("teacher",) if bare else ("teacher", "baseline"):
            z = rows.logits[arm][at : at + 1]
            if not np.isnan(z).any():
                (told,) = task.table(z, scale["target_mean"], scale["target_std"])
                spoken.append((t(f"runs.arm.{arm}"), models.of_row(questions, told, None), _size(found, index, arm)))
    sizes = _sizes(found, index)
    told_by = {str(t("runs.arm.teacher")): live} if live is not None else {}
    smaller = found.get("compressed") is not None
    for name, reply in {**told_by, **replies}.items():
        spoken.append((_title(name, smaller, name in bare), reply, sizes.get(name, "–")))
    if away is not None:
        spoken.append((t("try_it.service", host=away[0]), away[1], "–"))
    right = None if rows is None else questions.truth(rows.labels[at])
    next_item.ranked(questions, [(title, reply) for title, reply, _ in spoken], right)
    lines = []
    for title, reply, size in spoken:
        took = "–" if reply.seconds is None else text.milliseconds(1000 * reply.seconds)
        lines.append([title, *said.cells(questions, reply), took, size])
    names = [str(t("try_it.model")), *said.columns(questions), *(str(t(f"try_it.{name}")) for name in ("time", "size"))]
    frame = pd.DataFrame([[escape(cell) for cell in line] for line in lines], columns=[escape(n) for n in names])
    st.table(frame.set_index(frame.columns[0]), border="horizontal")
    if rows is None:
        if not bare:
            st.caption(t("try_it.changed"))
    elif pair := speed.latency_pair(found["teacher"], found["students"][index]):
        st.caption(
            t("try_it.measured", teacher=text.milliseconds(pair.teacher), student=text.milliseconds(pair.student))
        )
    if away is not None:
        st.caption(t("try_it.service_time"))


def _title(name: str, smaller: bool, bare: bool) -> str:
    """Name a model in words; `smaller`: what was made smaller is kept under the code of its stage; `bare`: it is the baseline."""
    if (plain := name.removeprefix(taken_as(""))) != name:
        return differences.plain_label(plain)
    if (alone := name.removeprefix(alone_as(""))) != name:
        return t("export.of_alone", name=alone)
    if bare and not smaller:
        return t("runs.result.taken_home")
    return naming.said(name) if smaller else name


def _size(found: Mapping[str, Any], index: int, arm: str) -> str:
    """Write the bytes of the teacher, or of the baseline, which has the student's file with other weights."""
    return text.size((found["teacher"] if arm == "teacher" else found["students"][index])["size_bytes"])


def _sizes(found: Mapping[str, Any], index: int) -> dict[str, str]:
    student = found["students"][index]
    told = {student["name"]: text.size(student["size_bytes"])}
    told |= {one["name"]: text.size(one["bytes"]) for one in (found.get("compressed") or {}).get("stages", ())}
    told |= {n["name"]: text.size(n.get("bytes")) for n in (found.get("artifacts") or {}).get("alone") or ()}
    for one in (found.get("references") or {}).get("known") or ():
        told[f"plain {one['name']}"] = text.size(one["bytes"])
    return told
