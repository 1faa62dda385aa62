"""The result of a run: verdict in words, the three side by side, and a tab for each question behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from kd_core.runs.rows import RunRow
from kd_core.runs.store import RunStore
from pages.ui import result_tabs, text, verdict
from pages.ui.text import escape, t

Result = Mapping[str, Any]


CAVEATS = ("small_test", "rare_class")  # what the data check found that bears on the verdict itself


def show(store: RunStore, row: RunRow, snapshot: Any, found: Result | None) -> None:
    """Draw everything known about a run that has ended; without a result, its curves, recipe and log."""
    if found is None or not found.get("students"):
        result_tabs.show_unfinished(store, row, snapshot)
        return
    index = choose_student(found, row.id)
    judgement(found, index)
    comparison(found, index)
    result_tabs.show(store, row, snapshot, found, index)


def choose_student(found: Result, run_id: str) -> int:
    """Let the person pick one of several students; the best one is shown first."""
    students = found["students"]
    best = verdict.best_student(found)
    if len(students) == 1:
        return 0
    chosen = st.pills(
        t("runs.result.student"),
        list(range(len(students))),
        default=best,
        format_func=lambda i: f"{escape(students[i]['name'])} · {t('runs.word.' + students[i]['verdict'])}",
        key=f"student-{run_id}",
        help=t("runs.result.student_help"),
        required=True,
    )
    return best if chosen is None else int(chosen)


def judgement(found: Result, index: int) -> None:
    """Say the verdict: one word with its rule, one sentence, and where needed why and what next."""
    said = verdict.judge(found, index)
    student, name = found["students"][index], found["metric"]["name"]
    with st.container(border=True, key="verdict"):
        word = t(f"runs.word.{said.word}") + (f" · {t('runs.word.small')}" if student.get("small") else "")
        st.badge(
            word,
            icon=verdict.ICON[said.word],
            color=verdict.COLOUR[said.word],  # type: ignore[arg-type]
            help=t("runs.verdict.rule", margin=verdict.points(name, student["margin"])),
        )
        st.markdown(f"##### {said.gain}")
        if said.keeps:
            st.markdown(said.keeps)
        if said.reason:
            st.markdown(f"**{t('runs.verdict.reason_label')}.** {said.reason}")
        if said.next:
            st.markdown(f"**{t('runs.verdict.next_label')}.** {said.next}")
        for flag in said.warnings:
            st.error(flag, icon=":material/flag:")
        for problem in found.get("problems") or ():
            if problem.get("code") in CAVEATS:
                st.warning(escape(problem["message"]), icon=":material/warning:")


def comparison(found: Result, index: int) -> None:
    """Draw the table teacher, baseline, student, gain with interval."""
    student = found["students"][index]
    num = len(student["seeds"])
    st.markdown(f"**{t('runs.result.table', rows=text.exact(found['dataset']['rows']['test']))}**")
    st.table(comparison_frame(found, index), border="horizontal")
    environment = found.get("environment", {})
    st.caption(t("runs.result.gain_note", n=num) if num > 1 else t("runs.result.gain_note_one"))
    st.caption(f"{t('runs.result.gap')}: {t('runs.result.gap_help')}")
    st.caption(
        t(
            "runs.result.hardware",
            hardware=verdict.hardware(found),
            threads=environment.get("threads", 1),
            torch=str(environment.get("torch", "–")),
            python=str(environment.get("python", "–")),
        )
    )


def comparison_frame(found: Result, index: int) -> pd.DataFrame:
    """Lay the comparison out as text; one line per metric, then fidelity, size, work and time."""
    student, teacher = found["students"][index], found["teacher"]
    baseline, primary = student["baseline"], found["metric"]["name"]
    lines: list[tuple[str, str, str, str, str, str]] = []
    lines.append(_metric_line(primary, teacher, student, baseline, bold=True))
    size = text.size(student["size_bytes"])
    ratio = t("runs.result.of_teacher", ratio=text.fraction(student["size_bytes"], teacher["size_bytes"]))
    own = text.number(student["parameters"])
    lines.append((t("runs.result.size"), text.size(teacher["size_bytes"]), size, size, ratio, ""))
    lines.append((t("runs.result.parameters"), text.number(teacher["parameters"]), own, own, "", ""))
    flops = text.number(student.get("flops"))
    lines.append((t("runs.result.flops"), text.number(teacher.get("flops")), flops, flops, "", ""))
    lines += _latency_lines(teacher, student)
    lines += [_metric_line(n, teacher, student, baseline, bold=False) for n in student["metrics"] if n != primary]
    lines += _fidelity_lines(student, baseline)
    columns = ["", t("runs.arm.teacher"), t("runs.arm.baseline"), t("runs.arm.student"),
               t("runs.result.improvement"), t("runs.result.gap")]  # fmt: skip
    frame = pd.DataFrame(lines, columns=columns).set_index("")
    return frame.astype("object")


def _no_gap(name: str, teacher: Result, baseline: Result) -> str:
    """Say why no share of the gap is told: the teacher is no better, or better by less than the seeds differ."""
    best, alone = teacher["metrics"].get(name), (baseline["metrics"].get(name) or {}).get("mean")
    ahead = best is not None and alone is not None and (best < alone if verdict.lower_is_better(name) else best > alone)
    return str(t("runs.result.gap_noise" if ahead else "runs.result.gap_none"))


def _metric_line(name: str, teacher: Result, student: Result, baseline: Result, bold: bool) -> tuple[str, ...] | Any:
    def told(block: Result) -> str:
        values = block["metrics"].get(name) or {}
        return text.plus_minus(values.get("mean"), values.get("std"))

    gain = (student.get("gain") or {}).get(name)
    gap = (student.get("gap_closed") or {}).get(name)
    shown = "–"
    if gain:
        low, high = gain["ci95"]
        shown = text.signed(gain["mean"], 4)
        if low is not None and high is not None:
            shown = f"{shown} {escape(text.interval(low, high, 4))}"
            shown = f":green[{shown}]" if low > 0 else f":red[{shown}]" if high < 0 else shown
    title = escape(verdict.metric_title(name))
    if verdict.lower_is_better(name):
        title = f"{title} :gray[({t('runs.result.lower_mark')})]"
    cells = (
        f"**{title}**" if bold else title,
        text.score(teacher["metrics"].get(name)),
        told(baseline),
        told(student),
        shown,
        text.percent(gap, 0).replace("-", "−") if gap is not None else f":gray[{_no_gap(name, teacher, baseline)}]",
    )
    return tuple(f"**{c}**" if bold and i in (1, 2, 3) else c for i, c in enumerate(cells))


def _fidelity_lines(student: Result, baseline: Result) -> list[Any]:
    lines = []
    ours, theirs = student.get("fidelity") or {}, baseline.get("fidelity") or {}
    for name, written in (("agreement", text.percent), ("kl", text.score)):
        if name in ours:
            values = [written((b.get(name) or {}).get("mean")) for b in (theirs, ours)]
            lines.append((t(f"runs.result.{name}"), "", *values, "", ""))
    return lines


def _latency_lines(teacher: Result, student: Result) -> list[Any]:
    lines = []
    ours, theirs = verdict.runtimes(student.get("latency_ms")), verdict.runtimes(teacher.get("latency_ms"))
    for runtime in dict.fromkeys([*theirs, *ours]):
        mine, its = (side.get(runtime, {}).get("1", {}).get("p50") for side in (ours, theirs))
        if mine is None and its is None:
            continue
        ratio = t("runs.result.of_teacher", ratio=text.fraction(mine, its)) if mine and its else ""
        shown = text.milliseconds(mine)
        title = t("runs.result.latency_own", runtime=verdict.runtime_title(runtime))
        lines.append((title, text.milliseconds(its), shown, shown, ratio, ""))
    return lines
