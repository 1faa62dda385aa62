"""The decision a result comes to, in one line: what to take, and what it costs and reaches beside the teacher; one for a whole run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from kd_core.evaluate.intervals.compare import Gain
from kd_core.runs.outcome import Outcome, StudentOutcome, read_outcome
from kd_core.runs.store.kept_as import alone_as, taken_as
from kd_core.runs.store.measured import Arm
from kd_core.runs.store.student_names import kind
from pages.ui.result import speed, verdict
from pages.ui.result.differences import lower_is_better, metric_word
from pages.ui.shared import text
from pages.ui.shared.text import Safe, t

Result = Mapping[str, Any]
K = "runs.decision."
PLAIN_ICON = ":material/star:"  # as charts mark a plain model


@dataclass(frozen=True)
class Taken:
    """A model that may be taken: its name, that of its file (None where the run keeps none), bytes and times, scores, how it stands to the teacher where that is known, and whether it is of the student's kind."""

    what: Safe
    file: str | None
    block: Result
    arm: Arm
    gains: Mapping[str, Gain]
    is_student: bool = False


def of(result: Result, student: int) -> Safe:
    """Say the run's one advice for the student that it shows first; of another that it is elsewhere, and what this one gives.

    It says it as the evidence does: nothing is called better or worse that the intervals leave open. Errors: KDError when the result can't be read.
    """
    found = read_outcome(result)
    return _advice(found, student) if student == found.best else _elsewhere(found, student)


def _advice(found: Outcome, student: int) -> Safe:
    one = found.students[student]
    taken = chosen(found, one)
    lost = Safe("") if taken.file else Safe(f" {t(f'{K}no_file')}")
    if _stays(taken, found):
        return t(f"{K}stay", name=one.name)
    what = _of_kind(taken, one)
    told, facts, enough = _facts(found, one, taken)
    if enough:
        return Safe(f"{t(f'{K}enough', **told, what=what, facts=_joined(facts))}{lost}")
    return Safe(f"{t(f'{K}take', what=what, facts=_joined(facts))}{lost}")


def _elsewhere(found: Outcome, student: int) -> Safe:
    best, one = found.students[found.best], found.students[student]
    advised, own = chosen(found, best), itself(found, one)
    told, facts, enough = _facts(found, one, own)
    facts = [*facts, t(f"{K}less", **told)] if enough else facts
    if _stays(advised, found):
        where = t(f"{K}elsewhere_stay")
    else:
        where = t(f"{K}elsewhere{'' if advised.is_student else '_plain'}", what=advised.what, shown=best.name)
    return Safe(f"{where} {t(f'{K}gives', what=_of_kind(own, one), facts=_joined(facts))}")


def _facts(found: Outcome, one: StudentOutcome, taken: Taken) -> tuple[dict[str, Any], list[Safe], bool]:
    """Return the words of the sentence, size, time and score of a model, and whether it is so far below the teacher that its score is asked about instead."""
    name = found.metric.name
    value, versus = taken.arm.mean(name), taken.gains.get(name)
    told: dict[str, Any] = {"metric": metric_word(name), "own": text.score(value)}
    theirs, facts = _theirs(found, one), _costs(taken, found.raw["teacher"], one)
    if theirs is None or value is None:
        return told, [*facts, t(f"{K}score_alone", **told)], False
    told["teacher"] = text.score(theirs)
    less = (value - theirs) * (-1 if lower_is_better(name) else 1)
    apart = abs(less) > one.margin
    open_ = apart and versus is not None and not (versus.low is not None and (versus.low > 0 or (versus.high or 0) < 0))
    told["note"] = t(f"{K}open") if open_ else Safe("")
    if less < 0 and apart and facts:
        return told, facts, True
    return told, [*facts, Safe(f"{t(f'{K}score', **told)}{told['note']}")], False


def _of_kind(taken: Taken, student: StudentOutcome) -> Safe:
    """Name a model with the kind of its student where its name does not say it: here alone, and by its short name below."""
    of = kind(student.raw) if taken.is_student else None
    return taken.what if of is None else t(f"{K}of_kind", what=taken.what, kind=of)


def uneven(found: Outcome, student: int) -> Safe | None:
    """Say what "measured unevenly" means where the line tells such a time."""
    block, one = about(found, student).block, found.students[student]
    return speed.uneven(speed.latency_pair(found.raw["teacher"], block, beside=[one.raw]))


def file(result: Result, student: int) -> str:
    """Name the model that the line is about, as the run keeps it; the student's own file where the run has none of it."""
    return kept(result, student)[0]


def kept(result: Result, student: int) -> tuple[str, Safe]:
    """Return the file that is taken home, as `file`, and the words for the model in it."""
    found = read_outcome(result)
    one, taken = found.students[student], about(found, student)
    return (taken.file, taken.what) if taken.file else (one.name, who(one))


def as_taught(result: Result, student: int) -> bool:
    """Say whether the decision is for the student as its teacher taught it."""
    found = read_outcome(result)
    one = found.students[student]
    taken = chosen(found, one)
    return taken.what == t(f"{K}student", name=one.name) and not _stays(taken, found)


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
    return t(f"{K}{'alone' if student.alone else 'student'}", name=student.name)


def chosen(found: Outcome, student: StudentOutcome) -> Taken:
    """Choose between the model to take home, the plain one that does as well, and the one trained alone that its teacher has hurt."""
    plain = student.instead(found.metric)
    if plain is not None:
        alone = t(f"{K}alone", name=student.name)
        what = alone if plain.same else t(f"{K}plain", title=plain.title)
        block = {**plain.raw, "size_bytes": plain.bytes}
        file = _one_of(_kept(found), taken_as(plain.name))
        # of one and the same model there is one time to tell, though it was measured twice
        return Taken(what, file, student.raw if plain.same else block, plain.arm, plain.versus_teacher, plain.same)
    return itself(found, student)


def itself(found: Outcome, student: StudentOutcome) -> Taken:
    """Return the student's own model to take home, whatever plain model does as well; the one trained alone where its teacher has hurt it."""
    name = found.metric.name
    if student.verdict == "hurts" and not student.alone:
        file = _one_of(_kept(found), alone_as(student.name))
        return Taken(t(f"{K}alone", name=student.name), file, student.raw, student.baseline, {}, True)
    versus = verdict.against_teacher(found, student)
    gains = {**student.own_versus_teacher, **({name: versus} if versus is not None else {})}
    return Taken(who(student), student.name, student.raw, student.own, gains, True)


def about(found: Outcome, student: int) -> Taken:
    """Return the model that the line about a student tells of: the one to take, or the student's own where the run's advice is elsewhere."""
    one = found.students[student]
    return chosen(found, one) if student == found.best else itself(found, one)


def _kept(found: Outcome) -> set[str]:
    artifacts = found.raw.get("artifacts") or {}
    return {str(one["name"]) for key in ("plain", "alone") for one in artifacts.get(key) or ()}


def plain_word(found: Outcome, student: StudentOutcome) -> Safe | None:
    """Say in a word that stands beside the verdict's that a plain model is the one to take; None where it is not."""
    plain = student.instead(found.metric)
    return None if plain is None else t(f"runs.word.plain_{plain.standing}{'_above' if above(found, student) else ''}")


def above(found: Outcome, student: StudentOutcome) -> bool:
    """Say whether the plain model that is taken scored higher by more than the margin, though not surely."""
    plain = student.instead(found.metric)
    if plain is None or plain.standing != "unclear":
        return False
    theirs, own = plain.arm.mean(found.metric.name), student.own.mean(found.metric.name)
    if theirs is None or own is None:
        return False
    return (theirs - own) * (-1 if lower_is_better(found.metric.name) else 1) > student.margin


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
