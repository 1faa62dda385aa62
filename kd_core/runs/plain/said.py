"""What a report says of the plain models beside a student."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kd_core.runs.outcome import Outcome, StudentOutcome
from kd_core.runs.plain.told import Plain
from kd_core.runs.view.scale import Scale


def lines(result: Mapping[str, Any], found: Outcome, student: StudentOutcome, size: Callable[[int], str]) -> list[str]:
    """Say how the student stands beside plain models without a teacher, with both sizes."""
    tried = result.get("references")
    if not tried:
        return []
    said, own = list[str](), f"{size(student.bytes)}" if student.bytes else "no file"
    if student.plain:
        said.append(_stands(found, student, student.plain, size))
    elif student.itself:
        said.append("  The best plain model of this size is this one: it was trained alone, as plain models are.")
    elif student.bytes and tried["known"] and min(r["bytes"] for r in tried["known"]) > student.bytes:
        said.append(f"  No plain model of the list is as small as this student ({own}).")
    elif student.bytes:
        why = "the run was stopped before" if tried["known"] or not tried["missing"] else "none could be had"
        said.append(f"  No plain model was set beside this student: {why}.")
    named = student.plain.name if student.plain else student.itself
    if student.smaller:
        said.append(_stands(found, student, student.smaller, size))
    elif student.smallest_like_it and student.smallest_like_it[0] != named:
        _, smallest, title = student.smallest_like_it
        said.append(f"  The smallest plain model that keeps up with it on validation: {title}, {size(smallest)}.")
    return said + [
        f"  Left out of the plain models: {r['title']} ({r['reason'].rstrip('.')})." for r in tried["missing"]
    ]


def _stands(found: Outcome, student: StudentOutcome, plain: Plain, size: Callable[[int], str]) -> str:
    """Say how the student stands to one plain model, with both sizes."""
    gain, this = plain.judged(found.metric.name), "this student alone" if student.alone else "this student"
    scale, moral = Scale.of(found.metric, gain), "" if student.alone else " Distilling this student does not pay here."
    level = "" if None in plain.family else ", for all such statements together"
    own = size(student.bytes) if student.bytes else "no file"
    whose = f"{'the same model' if plain.same else plain.title} of {size(plain.bytes)}, without a teacher,"
    away = f"{scale(gain.mean)} {scale.points}{found.metric.title} ({scale.interval(gain)}{level}; {this}: {own})"
    who = "plain model of this size" if plain.place == "plain" else "smaller plain model"
    near = (
        f"No {who} comes near: over the best"
        if plain.place == "plain"
        else "A smaller plain model falls behind: over it"
    )
    words = {
        "ahead": f"{near}, {whose} {away}.",
        "behind": f"A {who} is better: over {whose} {away}.{moral}",
        "level": f"A {who} does as well: over {whose} {away}.",
        "unclear": f"Not clear whether a {who} does as well: over {whose} {away}.",
    }
    return f"  {words[plain.standing]}"
