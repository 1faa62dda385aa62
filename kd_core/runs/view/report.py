"""A result in a few plain lines, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kd_core.data.encoding.vocabulary import Vocabulary
from kd_core.data.types.answered import NO_TRUTH
from kd_core.evaluate.intervals.advice import Instead, instead_of_seeds
from kd_core.limits import KNOWN_ROWS
from kd_core.runs.cells import grid, tasks_inside
from kd_core.runs.items import cold_start, teacher_beside
from kd_core.runs.outcome import Outcome, StudentOutcome, read_outcome
from kd_core.runs.plain import said
from kd_core.runs.settings.untaught import NO_TEACHER, UNTAUGHT
from kd_core.runs.store import ledger, student_names
from kd_core.runs.view import continue_words, mode_words
from kd_core.runs.view.choice_words import choice_lines
from kd_core.runs.view.counsel import counsel, shares_sentence
from kd_core.runs.view.scale import Scale as Scale
from kd_core.runs.view.smaller import told as smaller

WORDS = {"beats": "BEATS", "ties": "TIES", "hurts": "HURTS", "inconclusive": "INCONCLUSIVE"}
WORDS |= {UNTAUGHT: "BEST WITHOUT A TEACHER", NO_TEACHER: "NO TEACHER"}
HELPS: dict[Instead, str] = {
    "rows": "more seeds than are sensible, {number}; more test rows help instead, as their draw is the larger part of the interval",
    "steadier": "more seeds than are sensible, {number}; a steadier student helps instead, one whose seeds differ less",
}


def verdict_lines(result: dict[str, Any]) -> list[str]:
    """Say, per student, whether learning from the teacher was worth it, with the interval and what it cost.

    A what-if first says which cell was chosen among how many, and how sure that choice is.
    """
    found = read_outcome(result)
    lines = _student_lines(result, found)
    return [*chosen_lines(result, found), *lines]


def chosen_lines(result: dict[str, Any], found: Outcome) -> list[str]:
    """Say which cell or which candidate was chosen, and how sure that is; nothing where nothing was chosen."""
    if result.get("sweep"):
        return [*(choice_line(found, s) for s in found.students), *_alike_lines(result, found)]
    return choice_lines(result, found, kilobytes)


def choice_line(found: Outcome, student: StudentOutcome) -> str:
    """Say which cell was chosen on validation among how many, and what it came to on the test rows."""
    factor, unit = (100.0, " points") if found.metric.unit == "share" else (1.0, "")
    cells = [c for c in found.cells if c.student == student.name and c.gain is not None]
    chosen = next(c for c in cells if c.number == student.cell)
    of = f" of {student.name}" if len(found.students) > 1 else ""
    said = f"Best of {len(cells)} cells{of} on validation: {setting(chosen.settings, found.varied)}"
    if chosen.settings["alpha"] == 0:
        return f"{said}, the baseline itself; no share of the teacher helped."
    gain = student.judged(found.metric.name)
    assert gain is not None  # one of the cells has it
    digits = "+.2f" if found.metric.unit == "share" else "+.3g"
    interval = (
        f"95 % {factor * gain.low:{digits}} to {factor * gain.high:{digits}}"
        if gain.low is not None and gain.high is not None
        else "one seed, no interval"
    )
    return (
        f"{said}; on the test rows {factor * gain.mean:{digits}}{unit} {found.metric.title} against its baseline "
        f"({interval})."
    )


def setting(settings: Mapping[str, float | None], varied: Sequence[str]) -> str:
    """Name a cell by its temperature, alpha and whatever else was varied: 'T 4, alpha 0.75'."""
    names = [n for n in grid.WORDS if n in ("temperature", "alpha", *varied)]
    return ", ".join(f"{grid.WORDS[n]} {v:g}" for n in names if (v := settings[n]) is not None)


def _alike_lines(result: dict[str, Any], found: Outcome) -> list[str]:
    """Say how many cells the seeds can't tell from the best one, and what is not finished."""
    asked, compared = result["sweep"]["cells_asked"], result["sweep"]["cells_compared"]
    alike = sum(c.like_best for c in found.cells) - 1
    lines = []
    most_seeds = max(len(c.raw["scores"]) for c in found.cells)
    one_seed = " (one seed: within the margin of the metric)" if most_seeds == 1 else ""
    if alike and alike == compared - 1:
        others = "the other cell can't" if alike == 1 else f"none of the other {alike} cells can"
        lines.append(
            f"Which cell is best is open: {others} be told apart from it on validation{one_seed}. "
            "The verdict is of another question: it sets the best cell against its baseline, on test rows."
        )
    elif alike:
        lines.append(f"{alike} of the other {compared - 1} cells can't be told apart from it on validation{one_seed}.")
    elif compared > 1:
        lines.append(f"No other cell is like it on validation{one_seed}.")
    if compared < asked:
        lines.append(f"{asked - compared} of {asked} cells have no usable pair of student and baseline.")
    stopped = sum(c.stopped for c in found.cells)
    if stopped == 1:
        lines.append("1 cell was stopped before its end and shows its best so far.")
    elif stopped:
        lines.append(f"{stopped} cells were stopped before their end and show their best so far.")
    diverged = sum(c.diverged for c in found.cells)
    if diverged:
        lines.append(f"{diverged} training{'s' if diverged > 1 else ''} diverged.")
    return lines


def _student_lines(result: dict[str, Any], found: Outcome) -> list[str]:
    students = [line for student in found.students for line in of_student(result, found, student)]
    return [*before_students(result), *students, *_kept_lines(result), *after_students(result, found)]


def _kept_lines(result: dict[str, Any]) -> list[str]:
    """Name the models without a teacher that can be asked by `predict --student`."""
    kept = result.get("artifacts") or {}
    said = {
        "alone": "Trained alone, as the teacher hurt; the run keeps these files",
        "plain": "Plain models whose files the run keeps",
    }
    return [
        f"{what}, for predict --student: {', '.join(repr(one['name']) for one in kept[key])}."
        for key, what in said.items()
        if kept.get(key)
    ]


def before_students(result: dict[str, Any]) -> list[str]:
    """Say what holds for all students of a run and bears on how their verdicts are read."""
    lines = [f"{p['message']} {p['hint']}" for p in result.get("problems", ()) if p["code"] == NO_TRUTH.code]
    told = (*smaller.lines(result), *continue_words.lines(result), *mode_words.lines(result))
    return [*_query_lines(result), *lines, *told, *_known_lines(result), *teacher_beside.lines(result)]


def of_student(result: dict[str, Any], found: Outcome, student: StudentOutcome) -> list[str]:
    """Say one student's verdict; lines after the first begin with two spaces."""
    plain = said.lines(result, found, student, kilobytes)
    names = [_names(student.names)] if student.names else []
    inside, cold = (
        [] if student.untaught else tasks_inside.lines(student.raw),
        cold_start.lines(student.raw, found.metric.name),
    )
    return [*_judgement(found, student), *inside, *plain, *names, _sizes(result, found, student), *cold]


def after_students(result: dict[str, Any], found: Outcome) -> list[str]:
    """Say what makes a result worth less, and how it spreads over splits."""
    lines = []
    if found.schema < 2:
        lines.append("This result is older: its interval covers seeds only, not the draw of the test rows.")
    if (found.test_reads or 0) >= ledger.MANY:
        lines.append(
            f"The test rows of this dataset have been read by {found.test_reads} runs; choosing among many runs by them flatters the chosen one."
        )
    lines += _split_lines(result, found)
    return lines


def _names(told: Vocabulary) -> str:
    """Say which names of category values a student's file knows, and what that spares."""
    columns = " and ".join(f"{kept:,} of {of:,} of {name}" for name, (kept, of) in told.columns.items() if kept < of)
    return (
        f"Of the values of category columns its file knows the commonest alone, {columns}: {kilobytes(told.bytes)} of names instead of "
        f"{kilobytes(told.of_bytes)}. Any other is read as a value never seen; so it was in training, by the baseline and by plain models of its size too."
    )


def _query_lines(result: dict[str, Any]) -> list[str]:
    """Say on how many queries a ranking was judged, and how many of them no order can serve."""
    if not (groups := _queries(result)):
        return []
    told, rows = groups["test"], result["dataset"]["rows"]["test"]
    without = told["all"] - told["relevant"]
    left = f" {without:,} more have no relevant row and are left out." if without else ""
    return [f"Judged on {told['relevant']:,} test queries ({rows:,} rows in all); intervals are over queries.{left}"]


def _queries(result: Mapping[str, Any]) -> Any:
    """Return the counts of queries of a ranking, None of other tasks and in results from before there were any."""
    return (result.get("dataset") or {}).get("groups")


def _known_lines(result: dict[str, Any]) -> list[str]:
    """Say how many rows the teacher answered where these are not all, and what it brought along."""
    teacher = result["teacher"]
    lines = [f"{note['message']} {note['hint']}".strip() for note in teacher.get("notes", ())]
    if known := teacher.get("known"):
        rows = result["dataset"]["rows"]
        told = ", ".join(f"{known[part]:,} of {rows[part]:,} {part}" for part in rows)
        lines.append(f"The teacher answered {told} rows; the other training rows were learned from their labels alone.")
        if known["test"] < KNOWN_ROWS:
            lines.append(
                f"No comparison with the teacher: it answered {known['test']:,} test rows, at least {KNOWN_ROWS} are needed."
            )
    return lines


def _judgement(found: Outcome, student: StudentOutcome) -> list[str]:
    """The claims about one student: over its baseline, from this teacher, against the teacher, and what is open."""
    metric = found.metric
    scale = Scale.of(metric, student.gain[metric.name])
    if student.untaught:
        return [f"{WORDS[student.word]}: {_untaught(found, student)}", *_against(found, student, scale)]
    gain, seeds, num = student.judged(metric.name), len(student.seeds), len(found.students)
    assert gain is not None  # the word is about this metric
    together = (
        f", for {'both' if num == 2 else f'all {num}'} students together" if metric.name in student.family else ""
    )
    said = {
        "beats": "distilling helped",
        "ties": "distilling made no difference to",
        "hurts": "distilling hurt",
        "inconclusive": "it is not clear yet whether distilling helped",
    }[student.verdict]
    of = f"{scale.points}{metric.title}"
    better = "" if metric.better == "higher" else " (less is better; a positive gain is an improvement)"
    lines = [
        f"{WORDS[student.verdict]}: {said} the {_named(found, student)}: {scale(gain.mean)} {of} over the same student "
        f"alone ({scale.interval(gain)}{together}; {seeds} seed{'s' if seeds != 1 else ''}){better}."
    ]
    over = student.placebo.gain.get(metric.name) if student.placebo else None
    if over is not None:
        whose = (
            "From this teacher" if student.credit(metric.name) == "teacher" else "Not clear whether from this teacher"
        )
        assert student.placebo is not None
        on = "its lessons with the rows mixed up" if student.placebo.of == "rows" else "labels smoothed without it"
        on += " and its inside with the rows mixed up" if student.placebo.of == "both" else ""
        lines.append(f"  {whose}: {scale(over.mean)} {of} over the same student on {on} ({scale.interval(over)}).")
    if student.alone:
        lines.append(
            "  To take home is the same student alone, the baseline: the file, its size and its times are its own."
        )
    lines += _against(found, student, scale)
    if moved := shares_sentence(student):
        lines.append(f"  {moved}")
    lines += [f"  {p.message} {p.hint}" for p in counsel(found, student)]
    if student.advice is not None and student.advice.kind == "seeds":
        helps = instead_of_seeds("seeds", student.advice.need, student.gain[metric.name])
        number = f"about {student.advice.need:,} seeds in all"
        lines.append(f"  What would settle it: {HELPS[helps].format(number=number) if helps else number}.")
    elif student.advice is not None and student.advice.kind in ("rows", "both"):
        units = "queries" if _queries(found.raw) else "rows"
        besides = "more seeds can't help" if student.advice.kind == "rows" else "and more seeds besides"
        lines.append(f"  What would settle it: about {student.advice.need:,} test {units} in all; {besides}.")
    return lines


def _named(found: Outcome, student: StudentOutcome) -> str:
    """Name a student with its kind, where the line of a choice has not told it yet."""
    kind = None if found.raw.get("choice") else student_names.kind(student.raw)
    return f"{student.name} student" + (f" ({kind})" if kind else "")


def _untaught(found: Outcome, student: StudentOutcome) -> str:
    """Say of a student that is its own baseline why it is one; a gain would compare it with itself."""
    mean = student.own.mean(found.metric.name)
    reached = "" if mean is None else f" Its {found.metric.title}: {mean:.4g}."
    if student.swept:
        return (
            f"on validation no cell with a teacher did better than none (alpha 0), so this is the {_named(found, student)} "
            f"trained without a teacher.{reached}"
        )
    return f"the teacher has no share in this lesson (alpha 0), so the {_named(found, student)} is its own baseline.{reached}"


def _against(found: Outcome, student: StudentOutcome, scale: Scale) -> list[str]:
    metric = found.metric
    against = student.own_versus_teacher.get(metric.name)
    if against is None:
        return []
    who, of = ", alone" if student.alone else "", f"{scale.points}{metric.title}"
    return [f"  Against the teacher{who}: {scale(against.mean)} {of} ({scale.interval(against)})."]


def kilobytes(size: int) -> str:
    """Write a size. Example: `14.0 KB`."""
    return f"{size / 1024:,.1f} KB"


def _sizes(result: dict[str, Any], found: Outcome, student: StudentOutcome) -> str:
    name, raw, teacher = found.metric.name, student.raw, result["teacher"]
    scale = Scale.of(found.metric, student.gain[name])
    gap = raw["gap_closed"].get(name)
    beside = f", best plain model {scale.value(student.plain.arm.mean(name))}" if student.plain else ""
    parameters, place = f"{raw['parameters']:,} parameters", kilobytes(student.bytes or raw["size_bytes"])
    if packed := ((raw.get("deployed") or {}).get("compact") or {}).get("bytes"):
        place += f", packed {kilobytes(packed)}"
    if teacher["size_bytes"] is not None:
        place += f" (teacher {teacher['size_bytes'] / 1024:,.0f} KB)"
    on = f" (on the {known['test']:,} rows it answered)" if (known := teacher.get("known")) else ""
    theirs = f"teacher {scale.value(found.teacher.get(name))}{on}, "
    closed = f"gap closed {100 * gap:.0f} %" if gap is not None else "no gap to close beyond the noise"
    if (result.get("dataset") or {}).get("answer_columns"):
        theirs, closed = "", "no comparison with the teacher, whose answers the labels are"
    own = f"baseline {scale.value(student.baseline.mean(name))}, student {scale.value(student.arm.mean(name))}{beside}; {closed}"
    if student.untaught:
        own = f"this student alone {scale.value(student.own.mean(name))}{beside}"
    return f"  {found.metric.title}: {theirs}{own}; {parameters}, {place}."


def _split_lines(result: dict[str, Any], found: Outcome) -> list[str]:
    splits = result.get("splits")
    if not splits:
        return []
    lines = []
    for position, student in enumerate(found.students):
        gains = [row["students"][position]["gain"]["mean"] for row in splits["done"]]
        scale = Scale.of(found.metric, student.gain[found.metric.name])
        cut = f" of {splits['asked']} asked" if len(gains) < splits["asked"] else ""
        lines.append(
            f"  {student.name} on {len(gains)} splits{cut}: {', '.join(scale(g) for g in gains)}; mean {scale(float(np.mean(gains)))}, "
            f"standard deviation {scale(float(np.std(gains, ddof=1))).lstrip('+') if len(gains) > 1 else 'unknown'}."
        )
    return lines
