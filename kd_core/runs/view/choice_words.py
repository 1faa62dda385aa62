"""Why this student was chosen, in one paragraph for the terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kd_core import written
from kd_core.runs.choosing.rule import Model
from kd_core.runs.choosing.told import PlainInstead, ToldChoice, read_choice
from kd_core.runs.outcome import Outcome
from kd_core.runs.store.student_names import kind_of
from kd_core.runs.view.wording import left_out

WHY = {
    "smallest_like_best": "it is the smallest whose {metric} lies within {margin} of the best ({best}, {best_score}, {best_size})",
    "best_within": "its {metric} is the best within {limits}",
    "smallest_reaching": "it is the smallest{within} whose {metric} reaches {goal}",
    "nearest_score": "no candidate's {metric}{within} reaches {goal}; it comes nearest",
    "nearest_limits": "no candidate keeps to {limits}; it exceeds them least",
}
ALONE = {
    "better": "Chosen without a teacher: the teacher did not help {name} on validation rows ({alone} alone, {taught} taught).",
    "cheaper": "Chosen without a teacher: taught by it {name} scores {taught} instead of {alone} on validation rows, but meets the goals less well.",
}
SETTLED = {
    "student": "Over {seeds} seeds it is the taught one that counts on validation rows ({taught} taught, {alone} alone): that one is taken home.",
    "baseline": "Over {seeds} seeds the one without a teacher is better on validation rows ({alone} alone, {taught} taught): that one is taken home.",
}
INSTEAD = {
    "better": "{title} of {size}, without a teacher, is better on the test rows",
    "smaller": "{title} of {size}, without a teacher, is as good on validation within the margin",
}

LOST = {
    "kept": "On validation it loses at most {most}: teacher {teacher}, so at {least_or_most} {goal}.",
    "missed": "On validation it loses more than {most}: teacher {teacher}, so at {least_or_most} {goal}.",
}
TEACHER = {
    True: "The teacher did not learn from these rows; at most they stopped or chose it, as they do its students.",
    False: "Whether the teacher has seen these rows before is not known: if it has, its score on them is too good, and more was asked for than meant.",
}

UNSPENT = "Most of the limit is unspent: {own} of {limit}."
MAY_FIT = "The nearest network that was left out, {name}, takes {size}; Compress, which writes weights as whole numbers, often leaves a quarter to a half of that, so it may fit: train it by itself, then make it smaller."


def choice_lines(result: dict[str, Any], found: Outcome, size: Callable[[int], str]) -> list[str]:
    """Say which candidate was chosen among how many and why, who was left out, and what may be the better thing to take home."""
    told = read_choice(result, found)
    if told is None:
        return []
    said = [f"Chosen of {_tried(told)} on validation: {_candidate(told, size)}, because {_why(told, found, size)}."]
    if told.why_alone:
        scores = {"alone": f"{told.chosen.score:.4g}", "taught": f"{told.taught:.4g}"}
        said.append(ALONE[told.why_alone].format(name=told.chosen.name, **scores))
    if (by := told.settled) and by.arm != told.chosen.arm:
        said.append(SETTLED[by.arm].format(seeds=by.seeds, taught=f"{by.taught:.4g}", alone=f"{by.alone:.4g}"))
    if told.against:
        said += _lost(told)
    elif "score" in told.missed and told.rule == "nearest_limits":
        said.append(f"Its {found.metric.title} does not reach {told.goals.score:g} either.")
    for some in told.left_out.values():
        names = ", ".join(c.name for c in some)
        reasons = dict.fromkeys(left_out(c.left_out) for c in some if c.left_out)
        said.append(f"{names}: {'; '.join(reasons)}.")
    if (most := told.goals.bytes) is not None and told.unspent and told.chosen_bytes is not None:
        said.append(UNSPENT.format(own=size(told.chosen_bytes), limit=size(most)))
    if (one := told.may_fit) and one.left_out:
        said.append(MAY_FIT.format(name=one.name, size=size(one.left_out["bytes"])))
    if told.first_took_longer:
        said.append(f"The first candidate alone took longer than {told.goals.minutes:g} min.")
    said.append(
        f"One seed each to choose the student, {told.seconds:.0f} s of {told.goals.minutes:g} min; the test rows were read for the chosen one only."
    )
    if told.too_large is not None:
        said.append(f"With the other seeds no file keeps the limit: the smallest takes {size(told.too_large)}.")
    if told.plain:
        said.append(_instead(told.plain, size))
    return [" ".join(said)]


def _tried(told: ToldChoice) -> str:
    """Count all candidates, and those of them that could not be chosen."""
    num = len(told.candidates)
    return f"{num} candidates" if told.compared == num else f"{num} candidates ({num - told.compared} left out)"


def _candidate(told: ToldChoice, size: Callable[[int], str]) -> str:
    one = told.chosen
    kind = kind_of(one.name, told.archs.get(one.name, ""))
    facts = [*([kind] if kind else []), f"{one.score:.4g}"]
    facts += ["no file" if told.chosen_bytes is None else size(told.chosen_bytes)]
    facts += [f"{one.microseconds:.0f} us a row"] if one.microseconds is not None else []
    changed = next((c.changed for c in told.candidates if c.name == one.name), None) or {}
    facts += [f"made {changed['width']} wide so that it fits"] if "width" in changed else []
    return f"{named(one, told)} ({', '.join(facts)})"


def named(model: Model, told: ToldChoice) -> str:
    """Name a model by its candidate, and where no teacher taught it."""
    return model.name if model.arm == "student" else f"{model.name} without a teacher"


def _why(told: ToldChoice, found: Outcome, size: Callable[[int], str]) -> str:
    goals, best = told.goals, told.best
    asked = [size(goals.bytes)] if goals.bytes is not None else []
    asked += [f"{goals.microseconds:g} us a row"] if goals.microseconds is not None else []
    limits = " and ".join(asked)
    if told.rule == "smallest_like_best" and best == told.chosen:
        return f"its {found.metric.title} is the best, and none within {told.margin:.3g} of it is smaller"
    return WHY[told.rule].format(
        metric=found.metric.title,
        limits=limits,
        within=f" within {limits}" if limits else "",
        goal=_goal(told),
        margin="" if told.margin is None else f"{told.margin:.3g}",
        best=named(best, told),
        best_score=f"{best.score:.4g}",
        best_size="no file" if best.bytes is None else size(best.bytes),
    )


def _goal(told: ToldChoice) -> str:
    """Write the score to reach: as a person gave it, else with as many digits as tell it from a score that misses it."""
    if told.against is None:
        return "" if told.least is None else f"{told.least:g}"
    return written.apart(lambda value, more: f"{value:.{4 + more}g}", told.chosen.score, told.against.least)[1]


def _lost(told: ToldChoice) -> list[str]:
    """Say what may be lost, what was to be reached for that, and which score of the teacher that was measured by."""
    by, lost = told.against, told.goals.lost
    assert by is not None and lost is not None
    unit = "%" if by.percent else "point" if lost == 1 else "points"
    state = "missed" if "score" in told.missed else "kept"
    way = "least" if told.better == "higher" else "most"
    values = {"teacher": f"{by.score:.4g}", "goal": _goal(told), "least_or_most": way}
    return [LOST[state].format(most=f"{lost:g} {unit}", **values), TEACHER[by.unseen]]


def _instead(plain: PlainInstead, size: Callable[[int], str]) -> str:
    said = INSTEAD[plain.why].format(title=plain.title, size=size(plain.bytes))
    return f"The better thing to take home may be a plain model: {said} (this student: {size(plain.own_bytes)})."
