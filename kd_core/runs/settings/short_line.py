"""The answers of a what-if in a line that can be read aloud; every number with its interval stands in the long one.

Example: Best: T 4, alpha 1, base. Changing one thing from there: T 2 to 8 will do; base beats the others. Not clear yet: alpha 0.25. About 6
seeds or more would settle it.
"""

from __future__ import annotations

from collections.abc import Sequence

from kd_core.evaluate.intervals.advice import too_many
from kd_core.runs.cells.grid import WORDS
from kd_core.runs.settings import sentence
from kd_core.runs.settings.answers import Answer, Answers, Setting, Word
from kd_core.runs.settings.sentence import Unit, named, written

LISTED = 3  # values told one by one where all of them lie beside each other: more are told by their ends


def line(found: Answers, unit: Unit) -> str:
    """Say what a what-if answers in short; where there is nothing to compare, what the long line says."""
    if found.best is None or not found.settings or found.seeds < 2:
        return sentence.line(found, unit)
    known = "; ".join(_known(found, unit))
    said = [
        f"best: {_best(found)}{_taught(found)}",
        f"changing one thing from there: {known}" if known and len(found.settings) > 1 else known,
        _open(found),
        _settled(found),
    ]
    words = " ".join(f"{part[:1].upper()}{part[1:]}." for part in said if part)
    return f"So far: {words}" if found.so_far else words


def _best(found: Answers) -> str:
    """Name the best cell by what was varied; settings that play no part in it are left out."""
    told = {n: v for n, v in found.values.items() if v is not None and n not in {s.name for s in _idle(found)}}
    return ", ".join("no teacher (alpha 0)" if n == "alpha" and v == 0 else named(n, v) for n, v in told.items())


def _idle(found: Answers) -> list[Setting]:
    """List the settings that play no part in a best cell without a teacher."""
    if found.values.get("alpha") != 0:
        return []
    return [s for s in found.settings if s.having("same") and all(a.word in ("best", "same") for a in s.answers)]


def _taught(found: Answers) -> str:
    """Say in the same breath as the best setting that no teacher at all may do as well."""
    zero = _no_teacher(found)
    return ", though not surely better than no teacher" if zero is not None and zero.word == "unclear" else ""


def _no_teacher(found: Answers) -> Answer | None:
    return next((s.answers[0] for s in found.settings if s.name == "alpha" and s.answers[0].value == 0), None)


def _known(found: Answers, unit: Unit) -> list[str]:
    said: list[str] = []
    idle = _idle(found)
    for setting in (s for s in found.settings if s not in idle):
        enough, worse = setting.having("best", "enough"), setting.having("worse")
        if setting.having("best") and len(enough) > 1:
            said.append(f"{_will_do(setting, enough)} will do")
        elif setting.having("best") and worse:
            said.append(_beats(found, setting, worse))
        rest: tuple[Word, ...] = (
            "best",
            "same",
            "failed",
            "stopped",
            "waiting",
        )  # told in few words in the long line, too
        said += sentence.clauses(Setting(setting.name, tuple(setting.having(*rest))), unit)
    return said


def _will_do(setting: Setting, enough: Sequence[Answer]) -> str:
    noun = WORDS.get(setting.name, setting.name)
    if len(enough) == len(setting.answers):
        return f"any {noun}"
    first, last = setting.answers.index(enough[0]), setting.answers.index(enough[-1])
    if setting.name not in WORDS or last - first >= len(enough) or len(enough) < LISTED:
        return sentence.listed(setting, enough, "or")
    if last == len(setting.answers) - 1:
        return f"{noun} from {written(enough[0].value)} on"
    return f"{noun} {written(enough[0].value)} to {written(enough[-1].value)}"


def _beats(found: Answers, setting: Setting, worse: Sequence[Answer]) -> str:
    """Say what the best value beats, and beside which other values where it may not hold beside others."""
    others = len(worse) == len(setting.answers) - 1 and len(worse) > 1
    best = next(a for a in setting.answers if a.word == "best")
    said = f"{named(setting.name, best.value)} beats {'the others' if others else sentence.values(worse, 'and')}"
    if not any(a.elsewhere for a in worse):
        return said
    beside = [named(n, v) for n, v in found.values.items() if n != setting.name and v is not None]
    return f"at {', '.join(beside)}, {said}"


def _open(found: Answers) -> str:
    said, whole, zero = [], [], _no_teacher(found)
    for setting in found.settings:
        some, noun = setting.having("unclear"), WORDS.get(setting.name, setting.name)
        others = [a for a in setting.answers if a.word != "best"]
        if setting.name == "alpha" and zero is not None:
            if zero.word == "best" and some:
                said.append(f"whether any {noun} beats no teacher")
                some = []
            elif zero.word == "unclear":  # told beside the best
                some, others = ([a for a in told if a is not zero] for told in (some, others))
        if some and len(some) == len(others):
            whole.append(noun)
        elif some:
            said.append(sentence.listed(setting, some, "and"))
    if whole:
        *first, last = whole
        said.append(f"which {', '.join(first)} and {last} are best" if first else f"which {last} is best")
    return f"not clear yet: {', '.join(said)}" if said else ""


def _settled(found: Answers) -> str:
    needs = [a.behind.need for a in found.unclear if a.behind is not None]
    if not needs:
        return ""
    if too_many(found.need):
        return sentence.beyond("it")
    return f"about {found.need} seeds or more would settle it"  # the best of many is partly luck: the gap shrinks as seeds are added
