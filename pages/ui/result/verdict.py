"""What a result means, in plain sentences: did distilling help, what came from this teacher, how far is the teacher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kd_core.evaluate.intervals.compare import Gain
from kd_core.limits import KNOWN_ROWS
from kd_core.runs.outcome import Outcome, StudentOutcome, read_outcome
from kd_core.runs.plain.told import Plain
from kd_core.runs.settings.untaught import NO_TEACHER, UNTAUGHT
from kd_core.runs.store import ledger
from kd_core.runs.store.measured import read_gain
from kd_core.runs.view.counsel import counsel
from pages.ui.lesson import moved
from pages.ui.result import speed
from pages.ui.result.differences import Written, is_share, lower_is_better, metric_word, plain_model, points
from pages.ui.shared import text
from pages.ui.shared.text import Safe, escape, t
from pages.ui.words import reasons

Result = Mapping[str, Any]
COLOUR = {
    "beats": "green",
    "ties": "blue",
    "hurts": "red",
    "inconclusive": "orange",
    UNTAUGHT: "gray",
    NO_TEACHER: "gray",
}
ICON = {
    "beats": ":material/trending_up:",
    "ties": ":material/drag_handle:",
    "hurts": ":material/trending_down:",
    "inconclusive": ":material/help:",
    UNTAUGHT: ":material/person_off:",
    NO_TEACHER: ":material/person_off:",
}


@dataclass(frozen=True)
class Judgement:
    """One student's verdict in words, in the order they are read; empty where nothing needs saying.

    `gain`: against its baseline; `source`: what of it comes from this teacher; `teacher`: against the teacher;
    `plain`: against plain models of its size; `names`: which names of category values its file knows, where not all;
    `moved`: what its lesson was made of; `counsel`: what to try for that reason;
    `weak`: the teacher scored worse than the small model alone; `family`, `splits`, `older`, `reads`: what bears on the interval; `settle`: what would decide an open verdict.
    """

    word: str
    gain: Safe
    weak: Safe | None
    source: Safe | None
    teacher: Safe
    plain: tuple[Safe, ...]
    names: Safe | None
    family: Safe | None
    splits: Safe | None
    older: Safe | None
    reads: Safe | None
    settle: Safe | None
    reason: Safe | None
    next: Safe | None
    warnings: tuple[Safe, ...]
    moved: Safe | None
    counsel: tuple[Safe, ...]


def best_student(result: Result) -> int:
    """Choose the student to show first: best on validation, as in the list of runs."""
    return read_outcome(result).best


def judge(result: Result, index: int) -> Judgement:
    """Put one student's verdict into words. Errors: KDError when the result can't be read."""
    found = read_outcome(result)
    student = found.students[index]
    why, then = reasons.likely(found, student)
    return Judgement(
        word=student.word,
        gain=_gain(found, student),
        weak=_weak(found, student),
        source=_source(found, student),
        teacher=_against(found, student),
        plain=_plain(found, student),
        names=_names(student),
        family=_family(found, student),
        splits=_splits(found, index),
        older=t("runs.verdict.older") if found.schema < 2 else None,
        reads=t("runs.verdict.reads", n=text.exact(found.test_reads))
        if (found.test_reads or 0) >= ledger.MANY
        else None,
        settle=reasons.settling(found, student),
        reason=why,
        next=then,
        warnings=_flags(result, student.raw),
        moved=moved.sentence(student.raw),
        counsel=tuple(escape(f"{p.message} {p.hint}") for p in counsel(found, student)),
    )


def together(result: Result) -> str:
    """Name the words for all students of a run together: two are both."""
    return "both" if len(result["students"]) == 2 else "all"


def interval(found: Outcome, student: StudentOutcome) -> Safe:
    """Write the interval that a student's word is decided by, with what it holds for where there are several students."""
    name = found.metric.name
    gain = student.judged(name)
    assert gain is not None  # the word is about this metric
    several = (
        together(found.raw) if len(found.students) > 1 else "before"
    )  # made smaller, it keeps that of its first run
    level = t(f"runs.verdict.level_{several}", n=len(found.students)) if name in student.family else None
    inside = (-student.margin, student.margin)
    return Written.of(name, gain).interval(gain, lower=lower_is_better(name), level=level, beside=inside)


def _gain(found: Outcome, student: StudentOutcome) -> Safe:
    """Say whether distilling helped, with the interval and its parts; of a student without a teacher, that there is nothing to compare."""
    name = found.metric.name
    if student.untaught:
        return t(f"runs.verdict.{student.word}", student=student.name)
    gain = student.judged(name)
    assert gain is not None  # the word is about this metric
    written, lower = Written.of(name, gain), lower_is_better(name)
    word = student.verdict
    way = "lower" if lower else "higher"
    return t(
        f"runs.verdict.{word if word in ('ties', 'inconclusive') else f'{word}_{way}'}",
        student=student.name,
        metric=metric_word(name),
        gain=written.amount(gain.mean),
        signed=written.signed_amount(gain.mean),
        interval=interval(found, student),
        margin=points(name, student.margin),
    )


def _weak(found: Outcome, student: StudentOutcome) -> Safe | None:
    """Say that the teacher scored worse on the test rows than the small model alone, where distilling has not helped."""
    name = found.metric.name
    theirs, alone = found.teacher.get(name), student.baseline.mean(name)
    said = (student.raw.get("reason") or {}).get("code") == "no_room"  # by the likely reason
    if said or student.verdict == "beats" or None in (theirs, alone) or found.raw["teacher"].get("known"):
        return None
    worse = theirs > alone if lower_is_better(name) else theirs < alone
    told = {"teacher": text.score(theirs), "alone": text.score(alone), "metric": metric_word(name)}
    over = against_teacher(found, student)  # its sentence must not say less than this one
    key = "weak" if over and over.low and over.low > 0 else "weak_open"
    return t(f"runs.verdict.{key}", **told) if worse and told["teacher"] != told["alone"] else None


def _source(found: Outcome, student: StudentOutcome) -> Safe | None:
    """Say what of the gain comes from this teacher: only what the student gains over its placebo does."""
    name = found.metric.name
    if student.untaught:
        return None
    over = student.placebo.gain.get(name) if student.placebo else None
    if over is not None:
        written = Written.of(name, over)
        key = student.credit(name) if student.verdict == "beats" else "neutral"
        assert student.placebo is not None
        kind = "" if student.placebo.of == "smoothed" else f"{student.placebo.of}_"
        return t(
            f"runs.source.{kind}{key}",
            signed=written.signed_amount(over.mean),
            metric=metric_word(name),
            interval=written.interval(over, lower=lower_is_better(name)),
        )
    if student.verdict != "beats":
        return None
    known = f"runs.source.why.{student.placebo_reason if found.schema >= 2 else 'older'}"
    return t("runs.source.none", why=t(known if known in text.catalogue() else "runs.source.why.not_asked"))


def _names(student: StudentOutcome) -> Safe | None:
    """Say how many of the names of category values the file knows, and what that spares; None where it knows all."""
    told = student.names
    if told is None:
        return None
    some = [(name, *counts) for name, counts in told.columns.items() if counts[0] < counts[1]]
    columns = [t("runs.names.column", name=name, kept=text.exact(kept), of=text.exact(of)) for name, kept, of in some]
    sizes = {"size": text.size(told.bytes), "whole": text.size(told.of_bytes)}
    return t("runs.names.said", columns=Safe(str(t("runs.names.and")).join(columns)), **sizes)


def _plain(found: Outcome, student: StudentOutcome) -> tuple[Safe, ...]:
    """Say how the student stands beside plain models without a teacher, with both sizes; the word follows the wider interval."""
    name, plain, lines = found.metric.name, student.plain, list[Safe]()
    tried = found.raw.get("references")
    if student.bytes is None or not tried:
        return ()
    if plain:
        lines.append(_stands(name, student, plain))
    elif student.itself:
        lines.append(t("runs.plain.itself", model=plain_model(student.itself)))
    elif tried["known"] and min(r["bytes"] for r in tried["known"]) > student.bytes:
        lines.append(t("runs.plain.none_as_small", own=text.size(student.bytes)))
    else:
        lines.append(t(f"runs.plain.{'stopped' if tried['known'] or not tried['missing'] else 'none'}"))
    if student.smaller:
        lines.append(_stands(name, student, student.smaller))
    elif student.smallest_like_it and student.smallest_like_it[0] != (plain.name if plain else student.itself):
        model, size, _ = student.smallest_like_it
        lines.append(t("runs.plain.smallest", model=plain_model(model), size=text.size(size)))
    lines += [t("runs.plain.missing", model=plain_model(r["name"]), reason=r["reason"]) for r in tried["missing"]]
    return tuple(lines)


def _stands(name: str, student: StudentOutcome, plain: Plain) -> Safe:
    """Say how the student stands to one plain model, with the interval that the word follows."""
    gain, level = plain.judged(name), None if None in plain.family else t("runs.verdict.level_statements")
    written = Written.of(name, gain)
    return t(
        f"runs.{plain.place}.{plain.standing}{'_alone' if student.alone and plain.standing == 'behind' else ''}",
        model=t("runs.plain.same") if plain.same else plain_model(plain.name),
        size=text.size(plain.bytes),
        own=text.size(student.bytes or 0),
        signed=written.signed_amount(gain.mean),
        metric=metric_word(name),
        interval=written.interval(gain, lower=lower_is_better(name), level=level),
    )


def against_teacher(found: Outcome, student: StudentOutcome) -> Gain | None:
    """Return the difference of the model to take home to the teacher, above 0 when it is better; an older result has no interval."""
    name = found.metric.name
    known = student.own_versus_teacher.get(name)
    ours, theirs = student.own.mean(name), found.teacher.get(name)
    if known is not None or ours is None or theirs is None:
        return known
    return Gain(
        ours - theirs if found.metric.better == "higher" else theirs - ours, None, None, None, None, len(student.seeds)
    )


def about_teacher(found: Result) -> list[Safe]:
    """Say which rows a given teacher answered, where these are not all, and what its numbers were taken for."""
    teacher = found["teacher"]
    lines = [Safe(escape(f"{n['message']} {n['hint']}".strip())) for n in teacher.get("notes") or ()]
    if known := teacher.get("known"):
        rows = found["dataset"]["rows"]
        told = {part: t("runs.verdict.of", part=text.exact(known[part]), whole=text.exact(rows[part])) for part in rows}
        lines.append(t("runs.verdict.known", **told))
    return lines


def _against(found: Outcome, student: StudentOutcome) -> Safe:
    """Say how far the student is from the teacher, at which size and speed."""
    name, raw, teacher = found.metric.name, student.raw, found.raw["teacher"]
    k = "runs.against."
    gain = against_teacher(found, student)
    known = (teacher.get("known") or {}).get("test")
    if gain is None and known is not None and known < KNOWN_ROWS:
        place = t(
            f"{k}withheld",
            known=text.exact(known),
            rows=text.exact(found.raw["dataset"]["rows"]["test"]),
            least=KNOWN_ROWS,
        )
    elif gain is None and found.raw["dataset"].get("answer_columns"):
        place = t(f"{k}answers")
    elif gain is None:
        place = t(f"{k}undefined", metric=metric_word(name))
    else:
        written, lower = Written.of(name, gain), lower_is_better(name)
        decided = gain.low is not None and gain.high is not None and (gain.low > 0 or gain.high < 0)
        way = ("better" if gain.mean > 0 else "worse") if lower else ("above" if gain.mean > 0 else "below")
        place = t(
            f"{k}{way}" if decided or gain.low is None else f"{k}open",
            amount=written.amount(gain.mean),
            signed=written.signed_amount(gain.mean),
            metric=metric_word(name),
            interval=t(f"{k}older") if found.schema < 2 else written.interval(gain, lower=lower),
        )
    place = t(f"{k}alone", place=place) if student.alone else place
    size, said = teacher["size_bytes"], speed.sentence(teacher, raw)
    parts = [place] if size is None else [place, t(f"{k}size", ratio=text.fraction(raw["size_bytes"], size))]
    return Safe(", ".join([*parts, *([said] if said else [])]) + ".")


def _family(found: Outcome, student: StudentOutcome) -> Safe | None:
    """Tell the narrower interval of one student by itself, where the word follows that of all students together."""
    name = found.metric.name
    if student.untaught or name not in student.family or len(found.students) < 2:
        return None
    gain, lower = student.gain[name], lower_is_better(name)
    told = {"n": len(found.students), "interval": Written.of(name, gain).interval(gain, lower=lower)}
    return t(f"runs.verdict.family_{together(found.raw)}", **told)


def split_gains(found: Outcome, index: int) -> list[tuple[int, Gain, str]]:
    """List split seed, gain and word of every split that the run was repeated on."""
    rows = (found.raw.get("splits") or {}).get("done") or []
    return [
        (int(r["split_seed"]), read_gain(r["students"][index]["gain"]), str(r["students"][index]["verdict"]))
        for r in rows
    ]


def _splits(found: Outcome, index: int) -> Safe | None:
    """Say how the gain spreads over the splits."""
    gains = [gain for _, gain, _ in split_gains(found, index)]
    if len(gains) < 2:
        return None
    asked, means = int(found.raw["splits"]["asked"]), [g.mean for g in gains]
    name = found.metric.name
    written = Written.of(name, gains[0])
    num = str(len(gains) if len(gains) == asked else t("runs.splits.of", done=len(gains), asked=asked))
    return t(
        "runs.splits.sentence",
        num=num,
        low=written.signed(min(means)),
        high=written.signed(max(means)),
        unit=t("runs.splits.points") if is_share(name) else "",
        mean=written.signed(float(np.mean(means))),
        std=written.half(float(np.std(means, ddof=1))),
    )


def _flags(result: Result, student: Mapping[str, Any]) -> tuple[Safe, ...]:
    """Raise red flags: a student that is not smaller or not faster than its teacher."""
    found, teacher = list[Safe](), result["teacher"]
    if teacher["size_bytes"] is not None and student["size_bytes"] >= teacher["size_bytes"]:
        found.append(
            t("runs.flag.size", student=text.size(student["size_bytes"]), teacher=text.size(teacher["size_bytes"]))
        )
    pair = speed.latency_pair(teacher, student)
    if pair and pair.student >= pair.teacher:
        found.append(
            t("runs.flag.speed", student=text.milliseconds(pair.student), teacher=text.milliseconds(pair.teacher))
        )
    return tuple(found)
