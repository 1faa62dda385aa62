"""The answers of a what-if in one line, for terminal, page and report alike.

Example: T 2, alpha 0.5, small is best on validation. Any T from 1 to 4 will do; alpha above 0 is unproven; small beats tiny by 1.2 points
[0.4, 2.0]. About 12 seeds of each cell or more would settle all that is open.
Where several alphas will do: any alpha from 0.25 to 1 will do, none surely better than no teacher at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kd_core.evaluate.intervals.advice import SENSIBLE_SEEDS, too_many
from kd_core.runs.cells.grid import WORDS
from kd_core.runs.settings.answers import Answer, Answers, Setting

FEW = 2  # worse values that are told one by one
MANY = 4  # values beside each other: more are told by their ends


@dataclass(frozen=True)
class Unit:
    """How differences are written: `factor` turns them into what is shown, `name` is said after the number."""

    factor: float
    name: str

    @classmethod
    def of(cls, unit: str, title: str) -> Unit:
        """Take a metric's unit and title: points for shares, else the metric itself."""
        return cls(100.0, "points") if unit == "share" else cls(1.0, title)

    def amount(self, answer: Answer) -> str:
        """Write how far a value lies behind with its interval: 1.2 points [0.4, 2.0]."""
        assert answer.behind is not None
        found = answer.behind
        return self._amount(found.mean, found.low, found.high)

    def alone(self, answer: Answer) -> str:
        """Write the same with the 95 % interval of this one pair, as a map shows it."""
        assert answer.behind is not None
        return self._amount(answer.behind.mean, *(answer.behind.alone() or (None, None)))

    def _amount(self, mean: float, low: float | None, high: float | None) -> str:
        if low is None or high is None:
            return f"{self.factor * mean:.{self.digits(mean, mean)}f} {self.name}"
        digits = self.digits(high - mean, mean)
        first, last = (self.written(v, self._beside_zero(v, digits)) for v in (low, high))
        return f"{self.written(mean, digits)} {self.name} [{first}, {last}]"

    def _beside_zero(self, bound: float, digits: int) -> int:
        """Give a bound that would be rounded to 0 up to two digits more: beats by 0.4 [0.0, 0.8] says nothing."""
        return next((d for d in range(digits, digits + 3) if round(self.factor * bound, d)), digits)

    def written(self, value: float, digits: int, sign: str = "") -> str:
        """Write a number without a sign where it is rounded to 0."""
        shown = round(self.factor * value, digits) + 0.0
        return f"{shown:{sign if shown else ''}.{digits}f}"

    def digits(self, half: float, mean: float) -> int:
        """Choose digits so that half the interval shows one that counts, and the mean at most three."""
        return min(self._digits(half), self._digits(mean) + 2)

    def _digits(self, size: float) -> int:
        shown = self.factor * abs(size)
        return min(8, max(1 if self.factor > 1 else 0, -math.floor(math.log10(shown)))) if shown > 0 else 1


def line(found: Answers, unit: Unit) -> str:
    """Say what a what-if answers. Without a score it says that there is none."""
    if found.best is None:
        return "No setting has a score yet." if found.so_far else "No setting has a score."
    if not found.settings:
        return "One setting was tried, so there is nothing to compare."
    if found.seeds < 2 and found.so_far:
        return f"So far one seed has ended in every cell, and on it {best(found)} is best. Which settings will do is told from two seeds on."
    if found.seeds < 2:
        said = (
            f"One seed can't say which settings will do: train three at least. The best on validation is {best(found)}"
        )
    else:
        said = "; ".join(clause for setting in found.settings for clause in clauses(setting, unit))
        said = ". ".join(f"{part[:1].upper()}{part[1:]}" for part in (_chosen(found), said, settled(found)) if part)
    said = f"{said[:1].upper()}{said[1:]}."
    return f"So far: {said}" if found.so_far else said


def _chosen(found: Answers) -> str:
    named_by = best(found)
    return f"{named_by} is best on validation" if named_by else ""


def best(found: Answers) -> str:
    """Name the best cell by what was varied: T 4, alpha 0.5, small."""
    return ", ".join(named(name, value) for name, value in found.values.items() if value is not None)


def named(setting: str, value: object) -> str:
    """Name a value: T 4, or a name as it is."""
    return f"{WORDS[setting]} {written(value)}" if setting in WORDS else written(value)


def written(value: object) -> str:
    """Write a value."""
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def clauses(setting: Setting, unit: Unit) -> list[str]:
    """Say what is known of one setting, a clause for each kind of answer."""
    chosen = setting.having("best")
    said = [*_will_do(setting, unit), *_unclear(setting, unit)]
    if chosen and (worse := setting.having("worse")):
        said.append(_beats(setting, chosen[0], worse, unit))
    if setting.having("same") and not chosen:
        said.append(f"{_noun(setting)} plays no part in the best setting")
    elif same := setting.having("same"):
        zero = f" at {WORDS['alpha']} 0" if setting.name != "alpha" else ""
        said.append(f"{_noun(setting)} plays no part{zero}" if same else "")
    for word, words in (
        ("failed", "came to no usable end"),
        ("stopped", "was stopped"),
        ("waiting", "is still in training"),
    ):
        if missing := setting.having(word):  # type: ignore[arg-type]
            said.append(
                f"{listed(setting, missing, 'and')} {words if len(missing) == 1 else words.replace('was', 'were').replace('is ', 'are ')}"
            )
    return said


def _noun(setting: Setting) -> str:
    return WORDS.get(setting.name, f"the {setting.name}")


def _will_do(setting: Setting, unit: Unit) -> list[str]:
    enough = setting.having("best", "enough")
    if not setting.having("enough") or not setting.having("best"):
        return []
    taught = _taught(setting, unit)
    if setting.name in WORDS and len(enough) > 2 and _contiguous(setting, enough):
        return [
            f"any {WORDS[setting.name]} from {written(enough[0].value)} to {written(enough[-1].value)} will do{taught}"
        ]
    return [f"{listed(setting, enough, 'or')} will do{taught}"]


def _taught(setting: Setting, unit: Unit) -> str:
    """Say in the same breath as the alphas that will do that no teacher at all may do as well."""
    zero = setting.answers[0]
    if setting.name != "alpha" or zero.value != 0 or zero.word not in ("unclear", "best"):
        return ""
    return f", none surely better than no teacher at all{_weaker(zero, unit)}"


def _weaker(zero: Answer, unit: Unit) -> str:
    """Say why this line says less of no teacher than the map, whose interval of this one pair lies clear of 0."""
    alone = zero.behind.alone() if zero.behind is not None else None
    if alone is None or alone[0] <= 0:
        return ""
    return f" with all comparisons counted (by itself, as the bars on the map are, no teacher is {unit.alone(zero)} behind)"


def _contiguous(setting: Setting, some: Sequence[Answer]) -> bool:
    """Say whether no other value was tried between the first and the last of them."""
    places = [i for i, a in enumerate(setting.answers) if a in some]
    return places == list(range(places[0], places[-1] + 1))


def _unclear(setting: Setting, unit: Unit) -> list[str]:
    """Say what is open; of alpha 0, whether the teacher is worth anything is what is open."""
    said, some = [], setting.having("unclear")
    chosen = setting.having("best")
    if setting.name == "alpha" and setting.answers[0].value == 0:
        zero = setting.answers[0]
        taught = [a for a in some if a is not zero]
        if setting.having("enough") and zero.word in ("unclear", "best"):
            some = taught  # said of those that will do
        elif zero.word == "unclear":
            which = "; which alpha is best is not clear yet" if taught else ""
            said.append(f"alpha above 0 is unproven{_weaker(zero, unit)}{which}")
            some = []
        elif zero.word == "best" and taught:
            said.append("alpha above 0 is unproven")
            some = []
    if some and chosen:
        are = "is" if len(some) == 1 else "are"
        said.append(f"{listed(setting, some, 'and')} {are} not clear yet")
    return said


def settled(found: Answers) -> str:
    """Say once how many seeds of each cell would settle all that is open; nothing where nothing is."""
    needs = [a.behind.need for a in found.unclear if a.behind is not None]
    if not needs:
        return ""
    if too_many(found.need):
        return beyond("all that is open")
    return f"about {found.need} seeds of each cell or more would settle all that is open"


def beyond(what: str) -> str:
    """Say that no sensible number of seeds would settle something, and what helps instead: these intervals are over seeds alone."""
    return f"settling {what} would take more seeds than are sensible, above {SENSIBLE_SEEDS}: a steadier student, whose seeds differ less, helps instead"


def _beats(setting: Setting, best: Answer, worse: Sequence[Answer], unit: Unit) -> str:
    who, only = named(setting.name, best.value), _only_here([a for a in worse if a.elsewhere])
    if len(worse) <= FEW:
        each = [f"{written(a.value)} by {unit.amount(a)}" for a in worse]
        return f"{who} beats {' and '.join(each)}{only}"
    nearest = min(worse, key=lambda a: a.behind.mean if a.behind else math.inf)
    return f"{who} beats {values(worse, 'and')} by {unit.amount(nearest)} or more{only}"


def _only_here(some: Sequence[Answer]) -> str:
    """Say which of these values are framed on the map all the same, and where."""
    if not some:
        return ""
    changed = list(dict.fromkeys(name for a in some for name in a.elsewhere))
    others = " or ".join(WORDS.get(name, name) for name in changed)
    return f" ({values(some, 'and')} may be as good with another {others})"


def listed(setting: Setting, some: Sequence[Answer], word: str) -> str:
    """List values of a setting after its name: T 1, 4 or 16."""
    noun = f"{WORDS[setting.name]} " if setting.name in WORDS else ""
    if noun and len(some) > MANY and _contiguous(setting, some):
        return f"all {noun}from {written(some[0].value)} to {written(some[-1].value)}"
    return f"{noun}{values(some, word)}"


def values(some: Sequence[Answer], word: str) -> str:
    """List values: 1, 4 or 16."""
    *first, last = [written(a.value) for a in some]
    return f"{', '.join(first)} {word} {last}" if first else last
