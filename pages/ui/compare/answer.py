"""The answer of Compare: which one to ship by the goals, the way to its result, and where that page advises another."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from kd_core.runs.outcome import read_outcome
from kd_core.runs.plain.told import Plain
from kd_core.runs.store.kept_as import taken_as
from kd_core.runs.view import compress_words
from pages.ui.goals import candidates
from pages.ui.goals.candidates import Candidate, Goals
from pages.ui.result import comparison, differences, verdict
from pages.ui.result.comparison import Entry
from pages.ui.shared import session, text
from pages.ui.shared.text import Safe, escape, t


def show(found: Sequence[Entry], metric: str, asked: Goals) -> Candidate | None:
    """Say which one to ship, after the plain model that is better than it, and how many meet the goals; return the one named."""
    students = [comparison.candidate(e, metric, asked.lost) for e in found]
    plain = comparison.plain_candidates(found, metric, asked.lost)
    named = None if asked.empty else candidates.answer(students, plain, asked)
    entry = None if named is None else next((e for e in found if e.id == named.id), None)
    made_by = None if named is None else next((e for e in found if named.id in ids_of(e)), None)
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
        if made_by is not None and named is not None and (said := otherwise(made_by, named, asked)):
            st.caption(f":material/info: {said}")
    return named


def ids_of(entry: Entry) -> list[str]:
    """List the candidates that an entry stands for: its own model, and the plain models beside it."""
    return [entry.id, *(comparison.plain_id(entry, p) for p in entry.read.plains)]


def plain_of(entry: Entry, named: Candidate) -> Plain | None:
    """Return the plain model beside an entry that a candidate describes; None where it describes the entry's own."""
    return next((p for p in entry.read.plains if comparison.plain_id(entry, p) == named.id), None)


def model(named: Candidate | None, made_by: Entry | None) -> str | None:
    """Return the name under which its run keeps the model that was named."""
    if named is None or made_by is None:
        return None
    plain = plain_of(made_by, named)
    if plain is not None:
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


def otherwise(entry: Entry, named: Candidate, asked: Goals) -> Safe | None:
    """Say which model the result page of the named one's run advises, and by which rule, where it is another one."""
    first, outcome = verdict.best_student(entry.result), read_outcome(entry.result)
    student = outcome.students[first]
    advised, here = student.instead(outcome.metric), plain_of(entry, named)
    if advised is not None and advised.same:  # the student's own kind and size: the page tells of both as of one
        advised = None
    rule = t(
        "compare.rule_within" if asked.within else f"compare.rule_smallest{'_surely' if asked.sure(named) else ''}"
    )
    told = {"run": escape(entry.run_name), "here": escape(named.name), "rule": rule}
    if advised is not None:
        name = differences.plain_label(advised.name)
        same = here is not None and here.name == advised.name
        return None if same else t("compare.otherwise_plain", name=name, size=text.size(advised.bytes), **told)
    return None if here is None and first == entry.index else t("compare.otherwise", name=escape(student.name), **told)
