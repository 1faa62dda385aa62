"""What a verdict means, in a sentence before all intervals, and how a plain model of its size stands to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kd_core.runs.outcome import Outcome, StudentOutcome, read_outcome
from pages.ui.result.differences import Written, lower_is_better, metric_word
from pages.ui.shared import text
from pages.ui.shared.text import Safe, t
from pages.ui.words import decision

ADVICE = "runs.in_short.advice."


def of(result: Mapping[str, Any], student: int) -> Safe:
    """Say it by the verdict, and by how a plain model of its size stands to it. Errors: KDError when the result can't be read."""
    return Safe(" ".join(part for part in (meaning(result, student), beside(result, student)) if part))


def meaning(result: Mapping[str, Any], student: int, *, amount: bool = True) -> Safe:
    """Say it by the verdict alone; without the `amount` where a sentence with it follows. Errors: as `of`."""
    found = read_outcome(result)
    return _said(found, found.students[student], amount)


def _said(found: Outcome, student: StudentOutcome, amount: bool) -> Safe:
    """Say what the verdict means; that a teacher was worth it only where the gain is its own and no plain model does as well."""
    if student.word != "beats":
        return t(f"runs.in_short.{student.word}")
    name = found.metric.name
    gain = student.judged(name) or student.gain[name]
    own = student.credit(name) == "teacher"
    alone = student.plain is None or student.plain.standing == "ahead"
    told = {"signed": Written.of(name, gain).signed_amount(gain.mean), "metric": metric_word(name)}
    much = t("runs.in_short.amount", **told) if amount else Safe("")
    return t(f"runs.in_short.{'beats' if own and alone else 'helped' if own else 'helped_somehow'}", much=much)


def beside(result: Mapping[str, Any], student: int) -> Safe | None:
    """Say how the plain model that takes a student's place stands to it, else the one of its size, with both scores; None where there is none.

    What to take is said of the student that the run's advice is about, and of no other. Errors: as `of`.
    """
    outcome, metric = read_outcome(result), result["metric"]["name"]
    found = outcome.students[student]
    taken, model = found.instead(outcome.metric), found.rival(outcome.metric)
    if model is None:
        return None
    plain, own, standing = model.arm.mean(metric), found.own.mean(metric), str(model.standing)
    larger = found.smallest_like_it
    if (
        standing == "ahead" and larger is not None and larger[1] > (found.bytes or 0)
    ):  # the edge of "its size" decides nothing by itself
        return t(
            "runs.in_short.plain_ahead_larger",
            title=larger[2],
            size=text.size(larger[1]),
            own=text.size(found.bytes or 0),
        )
    if standing == "ahead" and found.verdict == "hurts" and not found.alone:
        standing = "ahead_untaught"
    elif standing == "ahead" and found.word == "inconclusive":
        standing = "ahead_unclear"
    elif standing == "unclear" and taken is None:
        standing = "unclear_higher"
    elif decision.above(outcome, found):
        standing = "unclear_above"
    elif (
        standing == "unclear"
        and (plain or 0.0) != (own or 0.0)
        and lower_is_better(metric) == ((plain or 0.0) > (own or 0.0))
    ):
        standing = "unclear_near"
    who = decision.who(found)
    told = {
        "who": who,
        "Who": Safe(who[0].upper() + who[1:]),
        "title": model.title,
        "size": text.size(model.bytes),
        "own_size": text.size(found.bytes or 0),
        "metric": metric_word(metric),
        "plain": text.score(plain),
        "own": text.score(own),
    }
    same = "_same" if model.same and not standing.startswith("ahead") else ""
    key = f"{model.place}_{standing}{same}"
    advised = student == outcome.best and f"{ADVICE}{key}" in text.catalogue()
    return t(f"runs.in_short.{key}", advice=t(f"{ADVICE}{key}") if advised else Safe(""), **told)


def chosen_on_validation(result: Mapping[str, Any], student: int) -> Safe | None:
    """Say why the taught student is taken though the one trained alone scored better on the test rows, which choose nothing; None where that is not so. Errors: as `of`."""
    outcome = read_outcome(result)
    found, name = outcome.students[student], outcome.metric.name
    own, alone = found.own.mean(name), found.baseline.mean(name)
    chosen, rather = found.selected, found.selected_alone
    if None in (own, alone, chosen, rather) or found.alone or not decision.as_taught(result, student):
        return None
    sign = -1.0 if lower_is_better(name) else 1.0
    picked = str(result["metric"].get("selection") or name)
    sign_picked = -1.0 if lower_is_better(picked) else 1.0
    if sign * (alone - own) <= 0 or sign_picked * (chosen - rather) < 0:  # type: ignore[operator]
        return None
    told = {"metric": metric_word(picked), "taught": text.score(chosen), "alone": text.score(rather)}
    return t("runs.in_short.on_validation", **told)


def placebo(result: Mapping[str, Any], student: int) -> Safe | None:
    """Say that the same student without this teacher's answers is surely better; None where that is not so. Errors: as `of`."""
    outcome, metric = read_outcome(result), result["metric"]["name"]
    found = outcome.students[student]
    over = found.placebo.gain.get(metric) if found.placebo else None
    if found.placebo is None or over is None or over.high is None or over.high >= 0:
        return None
    return t(
        "runs.in_short.placebo",
        who=t("runs.decision.student", name=found.name),
        labels=t(f"runs.in_short.placebo_{found.placebo.of}"),
        metric=metric_word(metric),
        placebo=text.score(found.placebo.arm.mean(metric)),
        own=text.score(found.arm.mean(metric)),
    )
