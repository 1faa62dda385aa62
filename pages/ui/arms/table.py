"""The table of a result: teacher, baseline, placebo, student and the best plain model side by side, with the differences that count."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from kd_core.evaluate.intervals.compare import Gain
from kd_core.runs.outcome import StudentOutcome, read_outcome
from kd_core.runs.plain.told import Plain
from kd_core.runs.store.measured import Arm
from kd_core.task import task_of
from pages.ui.access import aids
from pages.ui.result import chance, differences, speed, verdict
from pages.ui.shared import text
from pages.ui.shared.text import Safe, escape, t
from pages.ui.tasks import ranking

Result = Mapping[str, Any]
WIDE = 2.0  # a share of the way whose interval is longer than twice the whole way says nothing
MEASURED = ("precision", "recall", "f1")  # at the threshold in use, where that is not one half
# of yes or no: where yes is said from one half on
HALVED = ("accuracy", "balanced_accuracy", "f1", "f1_macro", *MEASURED)
FIRST = (
    "accuracy",
    "precision",
    "recall",
    "f1",
    "f1_macro",
    "mae",
    "r2",
)  # metrics that everybody asks for, beside that of the verdict


def show(found: Result, index: int) -> None:
    """Draw the table: what everybody asks for, and the rest of it folded."""
    student = found["students"][index]
    st.markdown(
        f"**{ranking.judged_on(found) or t('runs.result.table', rows=text.exact(found['dataset']['rows']['test']))}**"
    )
    with st.container(key="result-table"):
        first, further = parts(found, index, few=aids.is_narrow())
        st.table(first, border="horizontal")
        icon = ":material/table_rows:"
        fold = st.expander(
            t("runs.result.further", num=len(further)), icon=icon, key="result-further", on_change="rerun"
        )
        if fold.open:  # every cell costs the browser as much in a closed fold as in sight
            fold.table(further, border="horizontal")
    older, num = "_older" if found["schema"] < 2 else "", len(student["seeds"])
    note = t(f"runs.result.gain_note{older}", n=num) if num > 1 else t("runs.result.gain_note_one")
    read = read_outcome(found).students[index]
    together = not read.untaught and read.family  # its word follows the wider interval
    note = t("runs.result.untaught_note", n=num) if read.untaught else note
    more = t(f"runs.result.gain_note_{verdict.together(found)}", n=len(found["students"])) if together else ""
    st.caption(f"{note} {more}".rstrip())
    if task_of(found["task"]).target == "number":
        st.caption(t("runs.result.unit_note", target=found["dataset"]["target"]))
    if uneven := speed.uneven(speed.latency_pair(found["teacher"], student)):
        st.caption(uneven)
    with st.expander(t("runs.result.how_made"), icon=":material/info:"):
        notes(found, student)


def notes(found: Result, student: Result) -> None:
    """Say how the other numbers of the table were made; folded, so that the charts are not a screen further down."""
    environment = found.get("environment", {})
    guessing = chance.note(found, found["metric"]["name"])
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
            hardware=speed.hardware(found),
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


def parts(found: Result, index: int, *, few: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part the comparison into the lines that everybody asks for and the others; `few`: only the metric of the verdict, size and time."""
    frame = comparison_frame(found, index)
    student = found["students"][index]
    pair = speed.latency_pair(found["teacher"], student)
    task = found["task"]
    primary = found["metric"]["name"]
    wanted = [_metric_title(n, task, bold=n == primary) for n in (primary, *(() if few else FIRST))]
    wanted += [str(t(f"runs.result.{name}")) for name in ("file", "size")]
    own = [_own_title(name) for name in MEASURED]
    if own[0] in frame.index and not few:  # those from one half on say little where the answer is yes from elsewhere on
        halves = {_metric_title(n, task, bold=False) for n in MEASURED}
        wanted = [*(w for w in wanted if w not in halves), *own]
    if pair is not None:
        wanted.append(_latency_title(student, pair.student_runtime))
    first = frame.index.isin(wanted)
    return frame[first], frame[~first]


def comparison_frame(found: Result, index: int) -> pd.DataFrame:
    """Lay the comparison out as text; the metric of the verdict, size, work and time, the other metrics, then fidelity."""
    outcome, student, teacher = read_outcome(found), found["students"][index], found["teacher"]
    read = outcome.students[index]
    rival = read.rival(outcome.metric)
    baseline, primary = student["baseline"], found["metric"]["name"]
    own = text.number(student["parameters"])
    size, flops = text.size(student["size_bytes"]), text.number(student.get("flops"))
    whole = teacher["size_bytes"]
    ratio = t("runs.result.of_teacher", ratio=text.fraction(student["size_bytes"], whole)) if whole is not None else ""
    lines = [_metric_line(primary, found, read, rival, bold=True)]
    beside = text.size(rival.bytes) if rival else ""
    arms = _arms_of_file(read)
    compact = (student.get("deployed") or {}).get("compact") or {}
    packed, its_packed = _size(compact.get("bytes")), _size(rival.raw.get("compact_bytes") if rival else None)
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
    lines += _latency_lines(teacher, student, arms, rival)
    lines += _threshold_lines(student)
    lines += [_metric_line(n, found, read, rival, bold=False) for n in student["metrics"] if n != primary]
    lines += _fidelity_lines(student, baseline)
    columns = [
        "",
        t("runs.arm.teacher"),
        t("runs.result.taken_home") if read.alone else t("runs.arm.baseline_short"),
        t("runs.arm.placebo_short"),
        t("runs.arm.student"),
        beside_title(rival),
        t("runs.result.improvement"),
        t("runs.result.versus"),
        t("runs.result.gap"),
    ]
    frame = pd.DataFrame(_once(lines), columns=[str(c) for c in columns]).set_index("")
    if read.untaught:  # it is its own baseline: nothing to compare
        frame = frame.drop(columns=[str(t(f"runs.{c}")) for c in ("arm.student", "result.improvement", "result.gap")])
    absent = [t("runs.arm.placebo_short")] * (read.placebo is None) + [beside_title(rival)] * (rival is None)
    frame = frame.drop(columns=[str(c) for c in absent])
    if not read.versus_teacher and found["schema"] < 2:
        frame = frame.rename(columns={str(t("runs.result.versus")): str(t("runs.result.versus_costs"))})
    return frame.astype("object")


def beside_title(plain: Plain | None) -> Safe:
    """Name the plain model in the table: the best of the student's size, or one smaller still that is to be taken."""
    return t(f"runs.arm.plain_{'best' if plain is None or plain.place == 'plain' else 'smaller'}")


def _size(size: int | None) -> str:
    return text.size(size) if size else ""


def _threshold_lines(student: Result) -> list[tuple[str, ...]]:
    """Tell precision, recall and F1 from the threshold on that is in use, where that is not one half."""
    told = student.get("threshold")
    if not told or not told["used"] or not told["arms"].get("student"):
        return []

    def shown(arm: str, measure: str) -> str:
        block = told["arms"].get(arm)
        return (
            _whole(text.plus_minus(block["chosen"][measure]["mean"], block["chosen"][measure]["std"])) if block else "–"
        )

    return [
        _line(_own_title(n), shown("teacher", n), shown("baseline", n), student=shown("student", n)) for n in MEASURED
    ]


def _own_title(name: str) -> str:
    return str(t("runs.result.from_threshold", metric=str(t(f"task.binary.{name}"))))


def _arms_of_file(read: StudentOutcome) -> tuple[str, ...]:
    """Name the columns that size and times of the file hold for: all arms of a student's file, which differ by their weights; else its own."""
    return ("baseline",) if read.alone else ("baseline", "placebo", "student")


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


def _once(lines: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Say once that the teacher is not ahead, and once that it is not so surely: of all further metrics it would be the same again."""
    left, told = {_grey("gap_none"), _grey("gap_noise")}, []
    known = set(left)
    for line in lines:
        told.append(line if line[-1] not in known or line[-1] in left else (*line[:-1], "–"))
        left.discard(line[-1])
    return told


def _grey(name: str) -> str:
    return f":gray[{t(f'runs.result.{name}')}]"


def _no_gap(name: str, teacher: float | None, baseline: float | None) -> str:
    """Say why no share of the gap is told: the teacher is no better, or better by less than the noise."""
    ahead = (
        teacher is not None
        and baseline is not None
        and (teacher < baseline if differences.lower_is_better(name) else teacher > baseline)
    )
    return str(t("runs.result.gap_noise" if ahead else "runs.result.gap_none"))


def _metric_line(name: str, found: Result, read: StudentOutcome, rival: Plain | None, bold: bool) -> tuple[str, ...]:
    def told(arm: Arm | None) -> str:
        values = (arm.metrics.get(name) if arm else None) or {}
        return _whole(text.plus_minus(values.get("mean"), values.get("std")))

    best = found["teacher"]["metrics"].get(name)
    cells = [text.score(best), told(read.baseline), told(read.placebo.arm if read.placebo else None), told(read.arm)]
    cells.append(text.score(rival.arm.mean(name)) if rival else "")
    return _line(
        _metric_title(name, found["task"], bold=bold),
        *(f"**{c}**" if bold else c for c in cells),
        gain=_difference(name, read.judged(name)),
        versus=_difference(name, read.versus_teacher.get(name)),
        gap=_gap(name, read, best),
    )


def _metric_title(name: str, task: str, *, bold: bool) -> str:
    title = escape(differences.metric_title(name))
    if name in HALVED and task_of(task).positive:
        title = t("runs.result.at_half", metric=title)
    if differences.lower_is_better(name):
        title = f"{title} :gray[({t('runs.result.lower_mark')})]"
    return f"**{title}**" if bold else title


def _whole(words: str) -> str:
    """Keep a number and what belongs to it on one line; cells break between mean and interval only."""
    return words.replace(" ", "&nbsp;")


def _gap(name: str, read: StudentOutcome, best: float | None) -> str:
    """Write the share of the gap that is closed, with its interval where there is one."""
    gap = (read.raw.get("gap_closed") or {}).get(name)
    if gap is None:
        return f":gray[{_no_gap(name, best, read.baseline.mean(name))}]"
    low, high = (read.raw.get("gap_closed_ci95") or {}).get(name) or (None, None)
    if low is not None and high is not None and high - low > WIDE:
        return f":gray[{t('runs.result.gap_wide')}]"
    shown = f"{100 * gap:.0f} %"
    if low is not None and high is not None:
        shown = f"{_whole(shown)} {_whole(escape(f'[{100 * low:.0f}, {100 * high:.0f}]'))}"
    return shown.replace("-", "−")


def _difference(name: str, gain: Gain | None) -> str:
    """Write a difference as the sentences above do; coloured where its interval lies on one side of 0."""
    if gain is None:
        return "–"
    shown = differences.told(name, gain.mean, gain.low, gain.high)
    words = " ".join(_whole(escape(part)) for part in re.split(r" (?=\[)", shown))
    if gain.low is None or gain.high is None:
        return words
    return f":green[{words}]" if gain.low > 0 else f":red[{words}]" if gain.high < 0 else words


def _fidelity_lines(student: Result, baseline: Result) -> list[tuple[str, ...]]:
    lines = []
    ours, theirs = student.get("fidelity") or {}, baseline.get("fidelity") or {}
    for name, written in (("agreement", text.percent), ("kl", text.score)):
        if name in ours:
            alone, taught = (written((b.get(name) or {}).get("mean")) for b in (theirs, ours))
            lines.append(_line(t(f"runs.result.{name}"), "", alone, "", taught))
    return lines


def _latency_title(student: Result, runtime: str) -> str:
    whole = speed.WHOLE in speed.runtimes(student.get("latency_ms"))
    key = "alone" if whole and runtime != speed.WHOLE else "own"
    return str(t(f"runs.result.latency_{key}", runtime=speed.runtime_title(runtime)))


def _latency_lines(
    teacher: Result, student: Result, arms: tuple[str, ...], rival: Plain | None
) -> list[tuple[str, ...]]:
    """Tell the times by runtime; of a plain model of the student's kind and shape one time is told of both."""
    lines = []
    ours, theirs, plain = (
        speed.runtimes(side.get("latency_ms")) for side in (student, teacher, rival.raw if rival else {})
    )
    pair = speed.latency_pair(teacher, student)
    said = "" if pair is None else str(speed.told(pair))
    for runtime in speed.in_order([*theirs, *ours]):
        mine, its = (side.get(runtime, {}).get("1") for side in (ours, theirs))
        if mine is None and its is None:
            continue
        shown = text.milliseconds(mine["p50"]) if mine else "–"
        title = _latency_title(student, runtime)
        versus = said if pair and runtime == pair.student_runtime else ""
        own = dict.fromkeys(arms, shown)
        beside = mine if rival and rival.same and runtime in plain else plain.get(runtime, {}).get("1")
        own["plain"] = text.milliseconds(beside["p50"]) if beside else ""
        lines.append(_line(title, text.milliseconds(its["p50"]) if its else "–", **own, versus=versus))
    return lines
