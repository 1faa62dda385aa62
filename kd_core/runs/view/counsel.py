"""What to try next, from what a run measured: sentences for the terminal and the result page alike.

That a teacher leaves no room to learn is said by `headroom` while there is time to stop, and by the verdict's reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kd_core.errors import Problem, Says
from kd_core.runs.outcome import Outcome, StudentOutcome
from kd_core.specs import LABELS, OFFLINE, SEVERAL

MOST_SOFT = 0.95  # of what moves a student; beyond it the labels are as good as left out
FAR = (
    10.0  # times as many parameters: from here on a student often can't follow (Mirzadeh et al. 2020, arXiv:1902.03393)
)
NEAR_ONE_HOT = 0.98  # mean share of the first class: what is left for the others is too little to learn from

_SOFT = Says(
    "soft_share",
    "warning",
    "{share:.0%} of what moved the student came from the teacher, {labels:.1%} from the labels.",
    "Lower alpha (or the weights of the terms, or raise that of the labels) if the labels can be trusted.",
)
_WHOLE = replace(
    _SOFT,
    hint="This loss leaves the labels no share. Take it as one of several terms, with a weight for the labels, if they can be trusted.",
)
_FAR = Says(
    "capacity_gap",
    "note",
    "The teacher is better than this student alone, but it has {times:,.0f} times as many parameters, and {gained}.",
    "Try an assistant, a model of a size in between that learns first and teaches this student: choose the mode 'Assistant'.",
)
_ONE_HOT = Says(
    "near_one_hot",
    "note",
    "On training rows the teacher's softened answers give {top:.1%} to their first class: they say little more than a label does.",
    "Raise the temperature{folds}.",
)


def counsel(found: Outcome, student: StudentOutcome) -> list[Problem]:
    """List what speaks for another setting of this student; nothing where nothing was measured or all is well."""
    raw, said = student.raw, []
    shares: Mapping[str, float] = raw.get("shares") or {}
    labels = shares.get(LABELS, 0.0)
    answered = (found.raw.get("dataset") or {}).get("answer_columns")
    reason = (raw.get("reason") or {}).get("code")
    unheard = answered or _unlabelled((found.raw.get("mode") or {}).get("name") or OFFLINE)
    if shares and 1.0 - labels > MOST_SOFT and not unheard and reason != "soft_share":
        whole = "alpha" in raw and raw["alpha"] is None and raw["objective"] != SEVERAL
        said.append((_WHOLE if whole else _SOFT).problem(share=1.0 - labels, labels=labels))
    times = capacity_gap(found.raw, raw)
    asked = times > FAR and student.verdict != "beats" and not _met_otherwise(found.raw)
    if asked and (raw.get("gap_closed") or {}).get(found.metric.name) is not None:
        nothing = (
            "the student gained nothing from it" if student.verdict in ("ties", "hurts") else "its gain is not clear"
        )
        said.append(_FAR.problem(times=times, gained=nothing))
    top = raw.get("teacher_top")
    if top is not None and top > NEAR_ONE_HOT:
        alone = found.raw["teacher"].get("folds") == 1
        said.append(_ONE_HOT.problem(top=top, folds=", or let other folds answer (folds: 2 or more)" if alone else ""))
    return said


def _unlabelled(mode: str) -> bool:
    if mode == OFFLINE:  # told without loading torch: the first page of a server judges a result
        return False
    from kd_core.runs.cells.modes import unlabelled

    return unlabelled(mode)


def _met_otherwise(result: Mapping[str, Any]) -> bool:
    """Say whether an assistant is no way for a run: there was one, students had other helpers, or went on from an earlier run."""
    if "continued" in result or "chain" in (result.get("mode") or {}):
        return True
    trained = [one for s in result["students"] for one in (s.get("selection") or {}).get("student") or ()]
    return any(one.get("helpers") for one in trained)


def capacity_gap(result: Mapping[str, Any], student: Mapping[str, Any]) -> float:
    """Return how many times the student's parameters the teacher has; 0 where they are not known."""
    theirs, own = result["teacher"].get("parameters"), student.get("parameters")
    return theirs / own if theirs and own else 0.0


def shares_sentence(student: StudentOutcome) -> str | None:
    """Say what moved a student, in the order of the lesson, and of which weight it came. None where it was not measured."""
    shares: Mapping[str, float] = student.raw.get("shares") or {}
    if not shares:
        return None
    parts = [f"{share:.0%} {'the labels' if name == LABELS else name}" for name, share in shares.items()]
    alpha = student.raw.get("alpha")
    of = (
        ""
        if alpha is None or len(shares) > len((LABELS, "teacher"))
        else f", which is what the weight alpha {alpha:g} came to"
    )
    return f"Of what moved the student: {', '.join(parts)}{of}."
