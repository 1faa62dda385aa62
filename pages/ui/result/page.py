"""The result of a run: verdict in words, the three side by side, and a tab for each question behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from kd_core.evaluate.intervals.compare import Gain
from kd_core.runs.outcome import Arm, StudentOutcome, read_outcome
from kd_core.runs.store.rows import RunRow
from kd_core.runs.store.runs import RunStore
from pages.ui.compress import runs_offered
from pages.ui.compress import told as smaller
from pages.ui.go_on import told as gone_on
from pages.ui.mode import told
from pages.ui.result import chance, result_tabs, speed, verdict
from pages.ui.runs import chosen
from pages.ui.shared import session, text
from pages.ui.shared.text import Safe, escape, t, term
from pages.ui.tasks import ranking
from pages.ui.what_if import whatif_head, whatif_reader, whatif_views

Result = Mapping[str, Any]


CAVEATS = ("no_true_labels", "small_test", "rare_class")  # what the data check found that bears on the verdict itself


def show(store: RunStore, row: RunRow, snapshot: Any, found: Result | None) -> None:
    """Draw everything known about a run that has ended, with the map where it has several cells.

    Without a result, its curves, recipe and log.
    """
    folder = store.folder(row.id)
    grid = whatif_reader.of_run(folder, snapshot)
    if grid is not None:
        whatif_head.ended(grid, snapshot, found)
    if found is None or not found.get("students"):
        if grid is not None and len(grid.judged):
            whatif_views.show(folder, snapshot, grid)
        elif snapshot.spec.sweep is not None:
            st.caption(t("what_if.nothing"))
        result_tabs.show_unfinished(store, row, snapshot)
        return
    if found.get("compressed"):
        smaller.show(row.id, found)
        result_tabs.show(store, row, snapshot, found, 0, result_tabs.OF_STAGES)
        return
    index = choose_student(found, row.id)
    gone_on.show(found)
    judgement(found, index)
    chosen.show(found)
    if grid is not None:
        whatif_head.chosen(grid, str(found["students"][index]["name"]))
        whatif_views.show(folder, snapshot, grid)
    comparison(found, index)
    outside(row.id, str(found["students"][index]["name"]))
    runs_offered.link(row.id, snapshot.spec, str(found["students"][index]["name"]))
    result_tabs.show(store, row, snapshot, found, index)


def outside(run_id: str, student: str) -> None:
    """Show the way to taking a student home."""
    where = session.link(run=run_id, student=student)
    st.page_link("export.py", label=t("export.link"), icon=":material/ios_share:", query_params=where)


def choose_student(found: Result, run_id: str) -> int:
    """Let the person pick one of several students; the best on validation is shown first."""
    students = found["students"]
    best = verdict.best_student(found)
    if len(students) == 1:
        return 0
    chosen = st.pills(
        t("runs.result.student"),
        list(range(len(students))),
        default=best,
        format_func=lambda i: f"{escape(students[i]['name'])} · {t('runs.short.' + students[i]['verdict'])}",
        key=f"student-{run_id}",
        help=t("runs.result.student_help"),
        required=True,
    )
    return best if chosen is None else int(chosen)


def judgement(found: Result, index: int) -> None:
    """Say the verdict: one word with its rule, then each claim with its interval, and where needed why and what next."""
    said = verdict.judge(found, index)
    student, name = found["students"][index], found["metric"]["name"]
    rule = t("runs.verdict.rule", margin=verdict.points(name, student["margin"]))
    with st.container(border=True, key="verdict"):
        st.badge(
            t(f"runs.word.{said.word}") + (f" · {t('runs.word.small')}" if student.get("small") else ""),
            icon=verdict.ICON[said.word],
            color=verdict.COLOUR[said.word],  # type: ignore[arg-type]
            help=f"{rule} {t('runs.verdict.rule_family')}" if said.family else rule,
        )
        claims(said, found, student)
        if said.reason:
            st.markdown(f"**{t('runs.verdict.reason_label')}.** {said.reason}")
        if said.settle:
            st.markdown(f"**{t('runs.verdict.settle_label')}.** {said.settle}", help=term("rows_and_seeds"))
        if said.next:
            st.markdown(f"**{t('runs.verdict.next_label')}.** {said.next}")
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
        for advice in said.counsel:
            st.info(advice, icon=":material/lightbulb:")
        for flag in said.warnings:
            st.error(flag, icon=":material/flag:")
        for problem in found.get("problems") or ():
            if problem.get("code") in CAVEATS:
                st.warning(escape(problem["message"]), icon=":material/warning:")


def claims(said: verdict.Judgement, found: Result, student: Result, *, big: bool = True) -> None:
    """Draw the sentences of the verdict: against the baseline, from this teacher, against the teacher, against plain models."""
    st.markdown(f"##### {said.gain}" if big else said.gain, help=term("interval"))
    if said.older:
        st.info(said.older, icon=":material/history:")
    if said.family:
        st.caption(said.family, help=t("runs.verdict.family_help"))
    if said.source:
        st.markdown(said.source, help=term("placebo"))
    speed_note = speed.note(found["teacher"], student, verdict.hardware(found))
    st.markdown(f"**{t('runs.verdict.teacher_label')}** {said.teacher}", help=speed_note)
    if said.plain:
        st.markdown(f"**{t('runs.verdict.plain_label')}** {' '.join(said.plain)}", help=term("plain_models"))


def comparison(found: Result, index: int) -> None:
    """Draw the table teacher, baseline, placebo, student, differences with interval."""
    student = found["students"][index]
    num = len(student["seeds"])
    name = found["metric"]["name"]
    st.markdown(
        f"**{ranking.judged_on(found) or t('runs.result.table', rows=text.exact(found['dataset']['rows']['test']))}**"
    )
    with st.container(key="result-table"):
        st.table(comparison_frame(found, index), border="horizontal")
    environment = found.get("environment", {})
    older = "_older" if found["schema"] < 2 else ""
    st.caption(t(f"runs.result.gain_note{older}", n=num) if num > 1 else t("runs.result.gain_note_one"))
    guessing = chance.note(found, name)
    gap = f"{t('runs.result.gap')}: {t('runs.result.gap_help')}"
    st.caption(f"{guessing} {gap}" if guessing else gap)
    if file := deployed(student):
        st.caption(file)
    if (student.get("deployed") or {}).get("arm") == "baseline":
        st.caption(t("runs.result.taken_alone"))
    if opening := packed(student):
        st.caption(opening)
    st.caption(
        t(
            "runs.result.hardware",
            hardware=verdict.hardware(found),
            threads=environment.get("threads", 1),
            torch=str(environment.get("torch", "–")),
            python=str(environment.get("python", "–")),
        )
    )


def deployed(student: Result) -> Safe | None:
    """Say what the size of a student is the size of; an older result does not tell."""
    told = student.get("deployed")
    if not told:
        return None
    if told["bytes"] is None:
        return t("runs.result.no_file", reason=str(told["reason"]))
    forms = {"columns": "raw", "raw rows": "view"}
    return t(f"runs.result.file_{forms.get(told['inputs'], 'encoded')}")


def packed(student: Result) -> Safe | None:
    """Say what the packed form of a student's file costs to open; None where it was not timed."""
    told = student.get("deployed") or {}
    short = told.get("compact") or {}
    if "open_ms" not in short:
        return None
    times = {"packed": text.milliseconds(short["open_ms"]), "open": text.milliseconds(told["open_ms"])}
    return t("runs.result.compact_note", size=text.size(short["bytes"]), **times)


def comparison_frame(found: Result, index: int) -> pd.DataFrame:
    """Lay the comparison out as text; one line per metric, then fidelity, size, work and time."""
    student, teacher, read = found["students"][index], found["teacher"], read_outcome(found).students[index]
    baseline, primary = student["baseline"], found["metric"]["name"]
    own = text.number(student["parameters"])
    size, flops = text.size(student["size_bytes"]), text.number(student.get("flops"))
    whole = teacher["size_bytes"]
    ratio = t("runs.result.of_teacher", ratio=text.fraction(student["size_bytes"], whole)) if whole is not None else ""
    lines = [_metric_line(primary, teacher, read, bold=True)]
    beside = text.size(read.plain.bytes) if read.plain else ""
    arms = _arms_of_file(read)
    packed, its_packed = (text.size(n) if n else "" for n in packed_bytes(student))
    for title, its, mine, plain, said in (
        (t(f"runs.result.{'file' if read.bytes else 'size'}"), text.size(teacher["size_bytes"]), size, beside, ratio),
        *([(t("runs.result.compact"), "", packed, its_packed, "")] if packed else []),
    ):
        lines.append(_line(title, its, **dict.fromkeys(arms, mine), plain=plain, versus=said))
    for title, its, mine in (
        (t("runs.result.parameters"), text.number(teacher["parameters"]), own),
        (t("runs.result.flops"), text.number(teacher.get("flops")), flops),
    ):
        lines.append(_line(title, its, mine, mine, mine))
    lines += _latency_lines(teacher, student, arms)
    lines += [_metric_line(n, teacher, read, bold=False) for n in student["metrics"] if n != primary]
    lines += _fidelity_lines(student, baseline)
    columns = [
        "",
        t("runs.arm.teacher"),
        t("runs.result.taken_home") if read.alone else t("runs.arm.baseline_short"),
        t("runs.arm.placebo_short"),
        t("runs.arm.student"),
        t("runs.arm.plain_best"),
        t("runs.result.improvement"),
        t("runs.result.versus"),
        t("runs.result.gap"),
    ]
    frame = pd.DataFrame(lines, columns=[str(c) for c in columns]).set_index("")
    if read.placebo is None:
        frame = frame.drop(columns=str(t("runs.arm.placebo_short")))
    if read.plain is None:
        frame = frame.drop(columns=str(t("runs.arm.plain_best")))
    if not read.versus_teacher and found["schema"] < 2:
        frame = frame.rename(columns={str(t("runs.result.versus")): str(t("runs.result.versus_costs"))})
    return frame.astype("object")


def _arms_of_file(read: StudentOutcome) -> tuple[str, ...]:
    """Name the columns that size and times of the file hold for: all arms of a student's file, which differ by their weights; else its own."""
    return ("baseline",) if read.alone else ("baseline", "placebo", "student")


def packed_bytes(student: Result) -> tuple[int | None, int | None]:
    """Return the bytes of the packed file of a student and of the plain model beside it, None where older results do not tell."""
    own = ((student.get("deployed") or {}).get("compact") or {}).get("bytes")
    return own, ((student.get("reference") or {}).get("best") or {}).get("compact_bytes")


def _line(
    title: str,
    teacher: str,
    baseline: str = "",
    placebo: str = "",
    student: str = "",
    plain: str = "",
    gain: str = "",
    versus: str = "",
    gap: str = "",
) -> tuple[str, ...]:
    return title, teacher, baseline, placebo, student, plain, gain, versus, gap


def _no_gap(name: str, teacher: float | None, baseline: float | None) -> str:
    """Say why no share of the gap is told: the teacher is no better, or better by less than the noise."""
    ahead = (
        teacher is not None
        and baseline is not None
        and (teacher < baseline if verdict.lower_is_better(name) else teacher > baseline)
    )
    return str(t("runs.result.gap_noise" if ahead else "runs.result.gap_none"))


def _metric_line(name: str, teacher: Result, read: StudentOutcome, bold: bool) -> tuple[str, ...]:
    def told(arm: Arm | None) -> str:
        values = (arm.metrics.get(name) if arm else None) or {}
        return _whole(text.plus_minus(values.get("mean"), values.get("std")))

    best = teacher["metrics"].get(name)
    cells = [text.score(best), told(read.baseline), told(read.placebo.arm if read.placebo else None), told(read.arm)]
    cells.append(text.score(read.plain.arm.mean(name)) if read.plain else "")
    title = escape(verdict.metric_title(name))
    if verdict.lower_is_better(name):
        title = f"{title} :gray[({t('runs.result.lower_mark')})]"
    return _line(
        f"**{title}**" if bold else title,
        *(f"**{c}**" if bold else c for c in cells),
        gain=_difference(read.gain.get(name)),
        versus=_difference(read.versus_teacher.get(name)),
        gap=_gap(name, read, best),
    )


def _whole(words: str) -> str:
    """Keep a number and what belongs to it on one line; cells break between mean and interval only."""
    return words.replace(" ", "&nbsp;")


def _gap(name: str, read: StudentOutcome, best: float | None) -> str:
    """Write the share of the gap that is closed, with its interval where there is one."""
    gap = (read.raw.get("gap_closed") or {}).get(name)
    if gap is None:
        return f":gray[{_no_gap(name, best, read.baseline.mean(name))}]"
    low, high = (read.raw.get("gap_closed_ci95") or {}).get(name) or (None, None)
    shown = f"{100 * gap:.0f} %"
    if low is not None and high is not None:
        shown = f"{_whole(shown)} {_whole(escape(f'[{100 * low:.0f}, {100 * high:.0f}]'))}"
    return shown.replace("-", "−")


def _difference(gain: Gain | None) -> str:
    """Write a difference with its interval, coloured where the interval lies on one side of 0."""
    if gain is None:
        return "–"
    shown = text.signed(gain.mean, 4)
    if gain.low is None or gain.high is None:
        return shown
    shown = f"{shown} {_whole(escape(text.interval(gain.low, gain.high, 4)))}"
    return f":green[{shown}]" if gain.low > 0 else f":red[{shown}]" if gain.high < 0 else shown


def _fidelity_lines(student: Result, baseline: Result) -> list[tuple[str, ...]]:
    lines = []
    ours, theirs = student.get("fidelity") or {}, baseline.get("fidelity") or {}
    for name, written in (("agreement", text.percent), ("kl", text.score)):
        if name in ours:
            alone, taught = (written((b.get(name) or {}).get("mean")) for b in (theirs, ours))
            lines.append(_line(t(f"runs.result.{name}"), "", alone, "", taught))
    return lines


def _latency_lines(teacher: Result, student: Result, arms: tuple[str, ...]) -> list[tuple[str, ...]]:
    lines = []
    ours, theirs = speed.runtimes(student.get("latency_ms")), speed.runtimes(teacher.get("latency_ms"))
    pair = speed.latency_pair(teacher, student)
    said = "" if pair is None else str(speed.times_faster(pair) if pair.steady else t("runs.speed.uneven"))
    for runtime in speed.in_order([*theirs, *ours]):
        mine, its = (side.get(runtime, {}).get("1") for side in (ours, theirs))
        if mine is None and its is None:
            continue
        shown = text.milliseconds(mine["p50"]) if mine else "–"
        alone = "alone" if speed.WHOLE in ours and runtime != speed.WHOLE else "own"
        title = t(f"runs.result.latency_{alone}", runtime=speed.runtime_title(runtime))
        versus = said if pair and runtime == pair.student_runtime else ""
        own = dict.fromkeys(arms, shown)
        lines.append(_line(title, text.milliseconds(its["p50"]) if its else "–", **own, versus=versus))
    return lines
