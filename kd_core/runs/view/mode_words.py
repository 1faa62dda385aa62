"""How teacher and student met, as a result tells it: who learned for a student's sake, and what it scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

ITSELF = "the student itself"  # beside those that learned for its sake, on the same rows


@dataclass(frozen=True)
class HelperWords:
    """What learned for one student: its mean score on validation rows (else `measure`) over the seeds that know it, and its seconds in all."""

    student: str
    name: str
    score: float
    seeds: int
    seconds: float
    measure: str = ""


def helpers(result: Mapping[str, Any]) -> list[HelperWords]:
    """List who learned for the students' sake, in the order in which they learned; the chain's own first, which all students share."""
    found = []
    if chain := (result.get("mode") or {}).get("chain"):
        score = chain["validation"].get(result["metric"]["name"])
        if score is not None:
            found.append(HelperWords("", chain["name"], float(score), 1, float(chain["seconds"])))
    for student in result["students"]:
        told: dict[str, list[Mapping[str, Any]]] = {}
        trained = (student.get("selection") or {}).get("student") or ()
        for one in trained:
            for helper in one.get("helpers", ()):
                told.setdefault(helper["name"], []).append(helper)
        if told:
            told[ITSELF] = [{"score": one["score_selected"], "seconds": one["seconds"]} for one in trained]
        for name, each in told.items():
            scores = [h["score"] for h in each if h["score"] is not None]
            if scores:
                seconds = sum(h["seconds"] for h in each)
                found.append(
                    HelperWords(
                        student["name"], name, float(np.mean(scores)), len(scores), seconds, each[0].get("measure", "")
                    )
                )
    return found


def lines(result: Mapping[str, Any]) -> list[str]:
    """Say the mode for a terminal; nothing of the usual one."""
    mode = result.get("mode")
    if not mode:
        return []
    found = [f"Mode: {mode['title']} ({mode['name']})."]
    if mode["times"] > 1:
        found.append(
            f"About {mode['times']:g} networks' worth is trained for a taught student, one for its baseline: both have the same epochs "
            "of their own, but the gain is not that of equal time."
        )
    for one in helpers(result):
        of = f" ({one.student})" if one.student else ""
        seeds = f", mean of {one.seeds} seeds" if one.seeds > 1 else ""
        what = (
            f"{one.measure} {one.score:.4g}"
            if one.measure
            else f"{result['metric']['title']} {one.score:.4g} on validation"
        )
        found.append(f"  {one.name}{of}: {what}{seeds}, {one.seconds:.1f} s.")
    return found + [single(one, result["metric"]["title"]) for one in mode.get("singles", ())]


SINGLES = {
    "beats": "a student of all teachers together beats the best student of one",
    "ties": "a student of all teachers together is as good as the best student of one",
    "hurts": "a student of all teachers together is worse than the best student of one",
    "inconclusive": "it is not clear whether a student of all teachers together is better than the best student of one",
}


def single(one: Mapping[str, Any], metric: str) -> str:
    """Say whether hearing several teachers paid for a student, on validation rows."""
    low, high = one["gain"]["ci95"]
    within = "" if low is None else f" [{low:+.4g}, {high:+.4g}]"
    return (
        f"  {one['student']}: {SINGLES[one['word']]} ({one['best']}): {metric} {one['score']:.4g} against {one['score_of_best']:.4g} "
        f"on validation, {one['gain']['mean']:+.4g}{within}."
    )
