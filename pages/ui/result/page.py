"""The result of a run: verdict in words, where to go from here, and a tab for each question behind it, the arms side by side first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from kd_core.runs.outcome import read_outcome
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.store.rows import RunRow
from kd_core.runs.store.runs import RunStore
from kd_core.specs import RunSpec
from pages.ui.arms import scores
from pages.ui.compress import runs_offered
from pages.ui.compress import told as smaller
from pages.ui.go_on import told as gone_on
from pages.ui.goals import budget, kept
from pages.ui.mode import told
from pages.ui.result import differences, result_tabs, speed, verdict
from pages.ui.runs import chosen
from pages.ui.shared import session
from pages.ui.shared.text import Safe, escape, t, term
from pages.ui.what_if import whatif_head, whatif_map, whatif_reader, whatif_views
from pages.ui.what_if.answers import answer_line, luck_asked
from pages.ui.what_if.whatif_cells import Grid
from pages.ui.words import decision, in_short, never_found, smallest, sureness

Result = Mapping[str, Any]


IN_SIGHT = 4  # lines of what to do next, warnings counted
MUST = 2  # of those, so many are never folded away by a warning
CAVEATS = ("no_true_labels", "small_test", "rare_class")  # what the data check found that bears on the verdict itself


def show(store: RunStore, row: RunRow, snapshot: Any, found: Result | None) -> None:
    """Draw everything known about a run that has ended, with the map where it has several cells.

    Without a result, its curves, recipe and log.
    """
    folder = store.folder(row.id)
    grid = whatif_reader.of_run(folder, snapshot)
    if found is None or not found.get("students"):
        told = answer_line.of_run(found, snapshot) if grid is not None else None
        if grid is not None and len(grid.judged):
            whatif_views.show(folder, snapshot, grid)
            whatif_head.behind(grid, snapshot, told)
        elif snapshot.spec.sweep is not None:
            st.caption(t("what_if.nothing"))
        result_tabs.show_unfinished(store, row, snapshot)
        return
    if found.get("compressed"):
        smaller.show(row.id, found)
        result_tabs.show(store, row, snapshot, found, 0, result_tabs.OF_STAGES)
        return
    index = choose_student(found, row.id, None if grid is None else whatif_map.turned_student(grid, row.id))
    gone_on.show(found)
    judgement(found, index)
    budget.show(found, index, kept.data_of(row))
    chosen.show(found, row.id)
    if grid is not None:
        whatif_head.chosen(grid, str(found["students"][index]["name"]))
    ways(row.id, snapshot.spec, str(found["students"][index]["name"]), *decision.kept(found, index))
    if grid is not None:
        settings(folder, snapshot, grid, found, str(found["students"][index]["name"]))
    st.fragment(result_tabs.show)(store, row, snapshot, found, index)  # another tab draws nothing above it again


def settings(folder: RunFolder, snapshot: Any, grid: Grid, found: Result, student: str) -> None:
    """Draw what a what-if found of its settings: the line, whether it is luck, the map of a student, and what stands behind it."""
    st.markdown(f"#### {t('what_if.head.settings')}")
    told = answer_line.of_run(found, snapshot)
    if told:
        luck_asked.show(found, snapshot, told)
    whatif_views.show(folder, snapshot, grid, student)
    whatif_head.behind(grid, snapshot, told)


def ways(run_id: str, spec: RunSpec, student: str, take: str, what: Safe) -> None:
    """Show where to go from here: take the model home that the decision names, or make the student smaller first. `what`: that model in words."""
    with st.container(horizontal=True, key="ways"):
        where = session.link(run=run_id, student=take)
        st.page_link("export.py", label=t("export.link_of", what=what), icon=":material/ios_share:", query_params=where)
        runs_offered.link(run_id, spec, student, take == student)


def choose_student(found: Result, run_id: str, turned: str | None = None) -> int:
    """Let the person pick one of several students; the best on validation is shown first. `turned`: one that was chosen on the map."""
    students, read = found["students"], read_outcome(found)
    best = read.best
    if len(students) == 1:
        return 0
    key, names = f"student-{run_id}", [s["name"] for s in students]
    asked = st.query_params.get("student")
    # the address is followed once, then the choice
    if asked in names and st.session_state.get(f"{key}-asked") != asked:
        st.session_state.update({key: names.index(asked), f"{key}-asked": asked})
    elif turned in names:
        st.session_state[key] = names.index(turned)
    # told anew each time: a phone may draw only the second of two runs, and a default stands in the first alone
    st.session_state[key] = best if st.session_state.get(key) is None else st.session_state[key]
    chosen = st.pills(
        t("runs.result.student"),
        list(range(len(students))),
        format_func=lambda i: f"{escape(students[i]['name'])} · {t(f'runs.short.{read.students[i].word}')}",
        key=key,
        help=t("runs.result.student_help"),
        required=True,
    )
    return best if chosen is None else int(chosen)


def judgement(found: Result, index: int) -> None:
    """Say the verdict: one word with its rule, what to take, what it means with its interval, the scores as a picture, and what to do next; all else is folded."""
    said = verdict.judge(found, index)
    student, name = found["students"][index], found["metric"]["name"]
    outcome = read_outcome(found)
    untaught = outcome.students[index].untaught
    key = f"runs.verdict.rule{f'_{said.word}' if untaught else ''}"
    rule = t(key, margin=differences.points(name, student["margin"]))
    warned = [line for line in (never_found.of(found, index), sureness.warning(found, index)) if line]
    seen, folded = next_steps(said, found, index)
    room = max(MUST, IN_SIGHT - len(warned))
    open_ = untaught or said.word == "inconclusive"  # its claim says so in its first words
    with st.container(border=True, key="verdict"):
        words, drawn = st.columns([7, 3], gap="medium")
        with words:
            plain = decision.plain_word(outcome, outcome.students[index])
            with st.container(horizontal=True, gap="small"):
                st.badge(
                    t(f"runs.word.{said.word}")
                    + (f" · {t('runs.word.small')}" if student.get("small") and not untaught else ""),
                    icon=verdict.ICON[said.word],
                    color=verdict.COLOUR[said.word],  # type: ignore[arg-type]
                    help=f"{rule} {t('runs.verdict.rule_family')}" if said.family else rule,
                )
                if plain:
                    st.badge(plain, icon=decision.PLAIN_ICON, color="violet", help=term("plain_models"))
            st.markdown(f"##### {decision.of(found, index)}", help=decision.uneven(outcome, index))
            claim = said.gain if open_ else f"{in_short.meaning(found, index, amount=False)} {said.gain}"
            if index == outcome.best and (why := in_short.chosen_on_validation(found, index)):
                claim = f"{claim} {why}"
            st.markdown(claim, help=f"{term('interval')} {term('rows_and_seeds')}")
        with drawn:
            scores.show(found, index)
        for line, note in seen[:room]:
            st.markdown(line, help=note)
        for line in warned:
            st.markdown(f":orange[:material/warning:] {line}")
        with st.expander(t("runs.verdict.evidence"), icon=":material/notes:"):
            for line, note in [*seen[room:], *folded]:
                st.markdown(line, help=note)
            evidence(said, found, index)
        for flag in said.warnings:
            st.error(flag, icon=":material/flag:")
        for problem in found.get("problems") or ():
            if problem.get("code") in CAVEATS:
                st.warning(escape(problem["message"]), icon=":material/warning:")


Steps = list[tuple[str, str | None]]


def next_steps(said: verdict.Judgement, found: Result, index: int) -> tuple[Steps, Steps]:
    """List what to do after a verdict, each line with its explanation: those in sight, and those one fold away.

    In sight are one advice, first of all another teacher where this one is surely worse than the small model, at most one smaller student, a plain model that may do as well, and a placebo that is surely better.
    """
    outcome = read_outcome(found)
    student = outcome.students[index]
    about = f" {t('runs.verdict.settle_cell')}" if found.get("sweep") else ""
    settle = said.settle and f"**{t('runs.verdict.settle_label')}.** {said.settle}{about}"
    tried = [f"**{t('runs.verdict.next_label')}.** {line}" for line in (said.next, *said.counsel) if line]
    over = verdict.against_teacher(outcome, student)
    surely = (
        over is not None and (over.low or 0) > 0
    )  # weak: then another teacher comes before more rows, and any setting
    first, last = (said.weak, None) if surely else (None, said.weak)
    better = [(first, None), (settle, term("rows_and_seeds")), *((line, None) for line in (*tried, last))]
    known = [(line, note) for line, note in better if line]
    advice, rest = known[:1], known[1:]
    plain: Steps = [(line, term("plain_models"))] if (line := in_short.beside(found, index)) else []
    placebo: Steps = [(line, term("placebo"))] if (line := in_short.placebo(found, index)) else []
    other: Steps = [(line, None)] if (line := smallest.of(found, index)) else []
    if student.instead(outcome.metric):
        return [*(advice if first else []), *plain, *placebo, *([] if first else advice)], [*rest, *other]
    as_well = student.plain is not None and student.plain.standing != "ahead"
    if smallest.named(found) in (None, student.name):
        return [*advice, *plain, *placebo], [*rest, *other]
    return [*advice, *other, *(plain if as_well else []), *placebo], [*rest, *([] if as_well else plain)]


def evidence(said: verdict.Judgement, found: Result, index: int) -> None:
    """Draw what the verdict rests on, in words."""
    claims(said, found, found["students"][index], gain=False)  # it stands in sight
    if said.reason:
        label = t(f"runs.verdict.{'open' if said.word == 'inconclusive' else 'reason'}_label")
        st.markdown(f"**{label}.** {said.reason}")
    if said.splits:
        st.markdown(said.splits, help=t("runs.splits.note"))
    if said.reads:
        st.caption(said.reads, help=f"{term('ledger')} {t('runs.verdict.reads_help')}")
    if said.names:
        st.caption(said.names, help=t("runs.names.help"))
    for line in (*told.lines(found, index), *verdict.about_teacher(found)):
        st.caption(line)
    if said.moved:
        st.caption(said.moved, help=term("effective_share"))


def claims(said: verdict.Judgement, found: Result, student: Result, *, gain: bool = True) -> None:
    """Draw the sentences behind the verdict: the `gain`, and what of it is this teacher's; beside it against the teacher and against plain models."""
    gained, beside = st.columns(2, gap="large")
    with gained:
        if gain:
            st.markdown(said.gain, help=term("interval"))
        if said.older:
            st.info(said.older, icon=":material/history:")
        if said.family:
            st.caption(said.family, help=t("runs.verdict.family_help"))
        if said.source:
            st.markdown(said.source, help=term("placebo"))
    with beside:
        speed_note = speed.note(found["teacher"], student, speed.hardware(found))
        st.markdown(f"**{t('runs.verdict.teacher_label')}** {said.teacher}", help=speed_note)
        if said.plain:
            st.markdown(f"**{t('runs.verdict.plain_label')}** {' '.join(said.plain)}", help=term("plain_models"))
    pair = speed.latency_pair(found["teacher"], student)
    st.caption(f"{t('runs.verdict.parts')} {speed.uneven(pair) or ''}")
