"""Data: what is in the file, and what shall be predicted."""

from __future__ import annotations

from typing import Any

import streamlit as st

from kd_core.data.table import Profile, Table
from kd_core.errors import KDError
from kd_core.specs import DatasetSpec, ReadSpec
from kd_core.task import task_of
from pages.ui.data import (
    answers,
    columns,
    listed,
    more_targets,
    one_row,
    pictures,
    reading,
    sources,
    splitting,
    target_question,
    understanding,
)
from pages.ui.shared import engine, facts, forms, session, text
from pages.ui.shared.text import Safe, escape, exact, t, term
from pages.ui.tasks import labels, next_item, ranking

KEY = sources.KEY


def main() -> None:
    """Draw the page."""
    st.title(t("data.title"), anchor=False)
    choices = sources.choices()
    sources.picker()
    if choices is None:
        sources.nothing()
        return
    read = ReadSpec.parse(choices.get("read") or {})
    try:
        with st.spinner(t("data.reading")):
            table = understanding.table(choices["source"], read, choices.get("name") or "")
            if table.answers and answers.HELD not in choices:  # a package without labels: its answers are the target
                answers.take(choices, list(table.answers), [])
            _keep_known(choices, [str(c) for c in table.frame.columns])
            if table.group and "group" not in choices:
                choices["group"] = table.group
            found = understanding.profile(choices, read, choices.get("name") or "")
            if found.given_part and "part" not in choices:  # whoever published the data made a split: it is kept
                choices["part"] = found.given_part
                found = understanding.profile(choices, read, choices.get("name") or "")
    except KDError as error:
        st.subheader(escape(choices.get("name") or ""), anchor=False)
        text.show_error(error)
        reading.settings(choices, None)
        return
    except MemoryError as error:
        text.show_error(error)
        return
    _understood(choices, table, found)
    target_question.ask(choices, found)
    _targets(choices, found)
    _problems(choices, found)
    _use(choices, found)
    one_row.show(found, choices, understanding.stamp(choices, read))
    pictures.examples(found)
    next_item.examples(found)
    answers.choose(choices, [str(c) for c in table.frame.columns])
    target_question.readings(choices, found)
    ranking.understood(found, choices.get("group"))
    labels.frequencies(found)
    reading.settings(choices, table)
    st.subheader(t("data.columns"), anchor=False)
    st.caption(t("data.columns_note"))
    if found.candidates and found.target is not None:
        st.caption(t("data.columns_unsure", column=found.target))
    picked = columns.table(found)
    if picked is not None:
        columns.detail(found.column(picked), found, choices, above=ranking.is_understood(found, choices.get("group")))
    with st.expander(t("data.first_rows"), icon=":material/table_rows:"):
        shown, drawn = pictures.rows(found.frame.head(20))
        st.dataframe(shown, alt=t("data.first_rows"), column_config=drawn)


def _keep_known(choices: dict[str, Any], names: list[str]) -> None:
    """Forget choices about columns that are gone since another sheet, file or separator was chosen."""
    kept = answers.with_target(choices, names)
    gone = [n for n in ("target", "group", "time", "part") if choices.get(n) is not None and choices[n] not in kept]
    if "target" in gone:
        gone += target_question.OF_TARGET
    for name in gone:
        choices[name] = None
        forms.forget(f"{KEY}.{name}")
    if choices.get("drop"):
        choices["drop"] = [n for n in choices["drop"] if n in names]
    if choices.get(more_targets.HELD):
        choices[more_targets.HELD] = [n for n in choices[more_targets.HELD] if n in names]
    for held in ("kinds", "missing"):
        if choices.get(held):
            choices[held] = {n: value for n, value in choices[held].items() if n in names}


def _understood(choices: dict[str, Any], table: Table, found: Profile) -> None:
    """One line: what the file is, and how many columns are ready, worth a look, or in the way."""
    look = [p for p in target_question.open_findings(found) if p.severity == "warning"]
    blocking = [p for p in found.problems if p.severity == "error"]
    barred = {p.column for p in blocking}
    ready = sum(1 for c in found.columns if c.used and c.name not in barred)
    how = ", ".join(escape(v) for v in table.understood.values())
    with st.container(horizontal=True, vertical_alignment="center", key="data-understood"):
        with st.container(gap=None, width="stretch"):
            st.subheader(escape(choices.get("name") or choices["source"]), anchor=False)
            st.markdown(
                t("data.understood_pictures", what=Safe(how), size=text.size(table.size_bytes))
                if table.format == "pictures"
                else t(
                    "data.understood",
                    rows=exact(found.num_rows),
                    columns=exact(len(found.columns)),
                    size=text.size(table.size_bytes),
                )
                + (f" · {how}" if how else "")
            )
        badges = (
            ("ready", ready, "check", "green"),
            ("look", len(look), *(("warning", "orange") if look else ("check", "gray"))),
            ("blocking", len(blocking), *(("cancel", "red") if blocking else ("check", "gray"))),
        )
        for word, count, icon, colour in badges:
            st.badge(t(f"data.{word}", n=count), icon=f":material/{icon}:", color=colour, help=t(f"data.{word}_help"))


def _targets(choices: dict[str, Any], found: Profile) -> None:
    """What to predict, as what, and how rows are split."""
    names = [c.name for c in found.columns]
    if choices.get("target") is None and found.target is not None and not found.candidates:
        choices["target"] = found.target
    chosen = not found.candidates  # else there is nothing yet that could be read in one way or another
    with st.container(border=True):
        places = st.columns([3, 4, 2, 2, 2, 2], vertical_alignment="bottom")
        with places[0]:
            listed.choice(
                "target",
                t("data.predict"),
                [None, *names] if choices.get("target") is None else names,
                choices,
                term("target"),
                format_func=lambda n: t("data.choose_column") if n is None else n,
            )
        with places[1]:
            if chosen:
                words = target_question.task_words(found)
                listed.choice(
                    "task", t("data.as"), more_targets.tasks(choices), choices, term("task"), format_func=words
                )
        with places[2]:
            if chosen and found.task and found.classes and task_of(found.task).positive:
                if choices.get("positive") not in found.classes:
                    choices["positive"] = found.positive
                listed.choice("positive", t("data.positive"), list(found.classes), choices, term("positive"))
            elif chosen and found.classes:
                word, num = more_targets.counted(choices, found)
                st.metric(t(word), exact(num))
        others = [None, *(n for n in names if n != found.target)]
        with places[3]:
            listed.choice(
                "group",
                t("data.group"),
                others,
                choices,
                term("group"),
                format_func=lambda n: t("common.none") if n is None else n,
            )
        with places[4]:
            listed.choice(
                "time",
                t("data.time"),
                others,
                choices,
                term("time"),
                format_func=lambda n: t("common.none") if n is None else n,
            )
        with places[5]:
            splitting.popover(choices, others)
        more_targets.choose(choices, found)
    more_targets.kinds(choices, found)


def _problems(choices: dict[str, Any], found: Profile) -> None:
    """Everything found, worst first; notes are one fold away."""
    loud = target_question.open_findings(found)
    notes = [p for p in found.problems if p.severity == "note"]
    for number, problem in enumerate(sorted(loud, key=lambda p: p.severity != "error")):
        columns.problem(problem, found, choices, number)
    if notes:
        with st.expander(t("data.notes", n=len(notes)), icon=":material/info:"):
            for number, problem in enumerate(notes, len(loud)):
                columns.problem(problem, found, choices, number)


def _use(choices: dict[str, Any], found: Profile) -> None:
    """The one button that goes on; disabled only with its reason beside it."""
    reason = t("data.reason_target") if found.target is None else None
    if ranking.by_order(found.task) and choices.get("group") is None:
        reason = reason or t("ranking.no_group")
    if found.candidates:
        reason = reason or t("data.reason_candidates")
    elif reason is None and (blocking := [p for p in found.problems if p.severity == "error"]):
        reason = t("data.reason_blocking", n=len(blocking), first=blocking[0].message)
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            t("data.use_data"),
            type="primary",
            icon=":material/arrow_forward:",
            disabled=reason is not None,
            key="data-use",
        )
        if reason:
            st.markdown(f":orange[:material/info: {reason}]", width="content")
        else:
            st.caption(t("data.next"), width="content")
    if not pressed:
        return
    try:
        known = {n: v for n, v in choices.items() if v is not None}
        sample = choices["source"].startswith("sample:")
        spec = DatasetSpec.parse(
            {
                **known,
                "target": found.target,
                "task": found.task,
                "positive": found.positive,
                "sha256": None if sample else understanding.content_hash(choices["source"]),
            },
            "the data",
        )
        dataset_id = engine.library().save_spec(spec)
        facts.keep(dataset_id, understanding.facts_of(found, spec.part))
    except KDError as error:
        text.show_error(error)
        return
    session.set_dataset(dataset_id)
    session.go("distill.py", data=dataset_id)


main()
