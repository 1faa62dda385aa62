"""The decision a result comes to, in one line: what to take, and what it costs and reaches beside the teacher."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from kd_core.evaluate.intervals.compare import Gain
from kd_core.runs.outcome import Outcome, StudentOutcome, read_outcome
from kd_core.runs.store.kept_as import alone_as, taken_as
from kd_core.runs.store.measured import Arm
from kd_core.runs.store.student_names import titled
from pages.ui.result import speed, verdict
from pages.ui.result.differences import lower_is_better, metric_word
from pages.ui.shared import text
from pages.ui.shared.text import Safe, t

Result = Mapping[str, Any]
K = "runs.decision."
PLAIN_ICON = ":material/star:"  # as charts mark a plain model


@dataclass(frozen=True)
class Taken:
    """A model that may be taken: its name, that of its file (None where the run keeps none), bytes and times, scores, and how it stands to the teacher where that is known."""

    what: Safe
    file: str | None
    block: Result
    arm: Arm
    gains: Mapping[str, Gain]


def of(result: Result, student: int) -> Safe:
    """Say it as the evidence does: nothing is called better or worse that the intervals leave open. Errors: KDError when the result can't be read."""
    found = read_outcome(result)
    one, teacher = found.students[student], result["teacher"]
    taken = chosen(found, one)
    lost = Safe("") if taken.file else Safe(f" {t(f'{K}no_file')}")
    if _stays(taken, found):
        return t(f"{K}stay", name=titled(one.raw))
    value, versus = taken.arm.mean(found.metric.name), taken.gains.get(found.metric.name)
    told = {"what": taken.what, "metric": metric_word(found.metric.name), "own": text.score(value)}
    theirs, facts = _theirs(found, one), _costs(taken, teacher, one)
    if theirs is None or value is None:
        return Safe(f"{t(f'{K}take', what=taken.what, facts=_joined([*facts, t(f'{K}score_alone', **told)]))}{lost}")
    told["teacher"] = text.score(theirs)
    less = (value - theirs) * (-1 if lower_is_better(found.metric.name) else 1)
    apart = abs(less) > one.margin
    open_ = apart and versus is not None and not (versus.low is not None and (versus.low > 0 or (versus.high or 0) < 0))
    note = t(f"{K}open") if open_ else Safe("")
    if less < 0 and apart and facts:
        return Safe(f"{t(f'{K}enough', **told, note=note, facts=_joined(facts))}{lost}")
    facts = [*facts, Safe(f"{t(f'{K}score', **told)}{note}")]
    return Safe(f"{t(f'{K}take', what=taken.what, facts=_joined(facts))}{lost}")


def file(result: Result, student: int) -> str:
    """Name the model that the decision says to take, as the run keeps it; the student's own file where the run has none of it."""
    found = read_outcome(result)
    one = found.students[student]
    return chosen(found, one).file or one.name


def as_taught(result: Result, student: int) -> bool:
    """Say whether the decision is for the student as its teacher taught it."""
    found = read_outcome(result)
    one = found.students[student]
    taken = chosen(found, one)
    return taken.what == t(f"{K}student", name=titled(one.raw)) and not _stays(taken, found)


def instead(result: Result, student: int) -> Safe | None:
    """Say what the decision takes in place of the student, and why; None where it takes the student."""
    found = read_outcome(result)
    one = found.students[student]
    taken = chosen(found, one)
    if _stays(taken, found):
        return t(f"{K}instead_teacher")
    plain = one.instead(found.metric)
    if plain is not None:
        smaller = plain.place == "smaller" and plain.standing != "behind"
        return t(f"{K}instead_{'smaller' if smaller else plain.standing}", what=taken.what)
    return t(f"{K}instead_hurts", what=taken.what) if one.verdict == "hurts" and not one.alone else None


def who(student: StudentOutcome) -> Safe:
    """Name the model to take home by who taught it."""
    return t(f"{K}{'alone' if student.alone else 'student'}", name=titled(student.raw))


def chosen(found: Outcome, student: StudentOutcome) -> Taken:
    """Choose between the model to take home, the plain one that does as well, and the one trained alone that its teacher has hurt."""
    name, plain = found.metric.name, student.instead(found.metric)
    artifacts = found.raw.get("artifacts") or {}
    kept = {str(one["name"]) for key in ("plain", "alone") for one in artifacts.get(key) or ()}
    alone = t(f"{K}alone", name=titled(student.raw))
    if plain is not None:
        what = alone if plain.same else t(f"{K}plain", title=plain.title)
        block = {**plain.raw, "size_bytes": plain.bytes}
        file = _one_of(kept, taken_as(plain.name))
        # of one and the same model there is one time to tell, though it was measured twice
        return Taken(what, file, student.raw if plain.same else block, plain.arm, plain.versus_teacher)
    if student.verdict == "hurts" and not student.alone:
        file = _one_of(kept, alone_as(student.name))
        return Taken(alone, file, student.raw, student.baseline, {})
    versus = verdict.against_teacher(found, student)
    gains = {**student.own_versus_teacher, **({name: versus} if versus is not None else {})}
    return Taken(who(student), student.name, student.raw, student.own, gains)


def plain_word(found: Outcome, student: StudentOutcome) -> Safe | None:
    """Say in a word that stands beside the verdict's that a plain model is the one to take; None where it is not."""
    plain = student.instead(found.metric)
    return None if plain is None else t(f"runs.word.plain_{plain.standing}")


def _stays(taken: Taken, found: Outcome) -> bool:
    """Say whether a model is no smaller, no faster and not surely better than its teacher."""
    teacher, versus = found.raw["teacher"], taken.gains.get(found.metric.name)
    size, pair = teacher["size_bytes"], speed.latency_pair(teacher, taken.block)
    larger = size is not None and taken.block["size_bytes"] >= size
    better = versus is not None and versus.low is not None and versus.low > 0
    return larger and not better and (pair is None or pair.student >= pair.teacher)


def _theirs(found: Outcome, student: StudentOutcome) -> float | None:
    """Return the teacher's score where the two can be compared."""
    return found.teacher.get(found.metric.name) if verdict.against_teacher(found, student) is not None else None


def _costs(taken: Taken, teacher: Result, student: StudentOutcome) -> list[Safe]:
    """Say size and speed beside the teacher's, or the size alone where that of the teacher is not known."""
    own, size = taken.block["size_bytes"], teacher["size_bytes"]
    told = [Safe(text.size(own)) if size is None else t(f"{K}size", ratio=text.fraction(own, size))]
    pair = speed.latency_pair(teacher, taken.block, beside=[student.raw])
    return told if pair is None else [*told, speed.told(pair)]


def _one_of(kept: Collection[str], name: str) -> str | None:
    return name if name in kept else None


def _joined(parts: list[Safe]) -> Safe:
    return Safe(", ".join(parts))
