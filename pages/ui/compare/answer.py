"""The answer of Compare: which one to ship by the goals, the way to its result, and where that page advises another."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from kd_core.runs.outcome import read_outcome
from kd_core.runs.store.kept_as import taken_as
from kd_core.runs.view import compress_words
from pages.ui.goals import candidates
from pages.ui.goals.candidates import Candidate, Goals
from pages.ui.result import comparison, differences, verdict
from pages.ui.result.comparison import Entry
from pages.ui.shared import session
from pages.ui.shared.text import Safe, escape, t
from pages.ui.words import decision


def show(found: Sequence[Entry], metric: str, asked: Goals) -> Candidate | None:
    """Say which one to ship, after the plain model that is better than it, and how many meet the goals; return the one named."""
    students = [comparison.candidate(e, metric) for e in found]
    plain = comparison.plain_candidates(found, metric)
    named = None if asked.empty else candidates.answer(students, plain, asked)
    entry = None if named is None else next((e for e in found if e.id == named.id), None)
    made_by = None if named is None else next((e for e in found if named.id in (e.id, f"{e.id}:plain")), None)
    runs = dict.fromkeys(e.run_id for e in [*([made_by] if made_by else []), *found])
    session.compare(list(runs), model(named, made_by))
    within = [c for c in plain if not asked.missed(c)]  # what breaks a limit is no better one
    rival = candidates.rival(within, named if entry else None, asked)
    with st.container(border=True, key="compare-answer", gap="small"):
        if rival is not None:
            candidates.warn(rival, asked)
        candidates.show(students, asked, "compare.goal.passed", named, lambda _: open_result(made_by), plain)
        if rival is None and entry is not None and named is not None:
            candidates.also(plain, named, asked)
        elif named is not None and entry is None and (student := candidates.pick(students, asked)):
            st.markdown(t("compare.goal.student", said=candidates.words(student, asked)))
        if entry is not None and (said := otherwise(entry, asked)):
            st.caption(f":material/info: {said}")
    return named


def model(named: Candidate | None, made_by: Entry | None) -> str | None:
    """Return the name under which its run keeps the model that was named."""
    if named is None or made_by is None:
        return None
    plain = made_by.read.plain
    if named.id != made_by.id and plain is not None:
        return taken_as(plain.name)
    stage = compress_words.chosen(made_by.result["compressed"]) if made_by.smaller else None
    return str((stage or made_by.student)["name"])


def open_result(entry: Entry | None) -> None:
    """Lead to the result of the student that was named; of a plain model to that of the student that it stands beside."""
    if entry is not None:
        block = entry.result.get("compressed") or {}
        name = block["student"] if entry.smaller else entry.student["name"]
        st.page_link(
            "runs.py",
            label=t("compare.open_result"),
            icon=":material/open_in_new:",
            query_params=session.link(run=entry.run_id, student=str(name)),
        )


def otherwise(entry: Entry, asked: Goals) -> Safe | None:
    """Say which model the named student's result page advises, and by which rule, where it is another one."""
    first = verdict.best_student(entry.result)
    student = read_outcome(entry.result).students[first]
    plain = student.plain
    rule = t("compare.rule_within" if asked.within else "compare.rule_smallest")
    told = {"run": escape(entry.run_name), "here": escape(entry.title), "rule": rule}
    if plain is not None and decision.prefers_plain(student, str(entry.result["metric"]["name"])) and not plain.same:
        return t("compare.otherwise_plain", name=differences.plain_label(plain.name), **told)
    return None if first == entry.index else t("compare.otherwise", name=escape(student.name), **told)
