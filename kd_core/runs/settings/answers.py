"""The answers of a what-if: for each setting, what happens when it alone is changed from what the best cell has.

The best cell is chosen on validation rows, and so is everything else here: no test row is looked at. A value is compared with the best one
seed by seed, all else being as in the best cell. A value "will do" when the interval of what it lies behind is below the margin.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from kd_core.evaluate.intervals import stepping
from kd_core.evaluate.intervals.compare import Better, differences
from kd_core.evaluate.intervals.stepping import Behind
from kd_core.runs.cells.cell_scores import Judge
from kd_core.runs.cells.grid import MADE_ROWS
from kd_core.runs.settings.tried import METHOD, SETTINGS, Tried, Value, varied

OF_THE_TEACHER = ("temperature", MADE_ROWS, METHOD)  # without the teacher's lesson they are nothing
Word = Literal["best", "enough", "worse", "unclear", "same", "waiting", "stopped", "failed"]


@dataclass(frozen=True)
class Answer:
    """One value of a setting: its word, the cell that stands for it, and how far that lies behind the best one.

    `elsewhere`: of a worse one, the settings that differ from the best cell in a cell with this value that may be as good all the same.
    `word`: best; enough (it will do), worse, unclear (not clear yet); same (it is the very training of the best cell); waiting, stopped or
    failed, where there is no score to compare. With a best cell that has no such setting, or no teacher for it, all are the same.
    """

    value: Value
    word: Word
    cell: int | None
    behind: Behind | None = None
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setting:
    """One setting that was varied, with an answer for each value that was tried, in order."""

    name: str
    answers: tuple[Answer, ...]

    def having(self, *words: Word) -> list[Answer]:
        """Choose the answers of some words."""
        return [a for a in self.answers if a.word in words]


@dataclass(frozen=True)
class Answers:
    """All answers of a what-if. `best`: the number of the best cell, None while there is no score; `values` are its own, of what was varied.

    `margin` in the metric's unit; `compared`: the number of comparisons that hold together; `cells`: of which the best one is the best; `seeds`: that it has; `so_far`: trainings
    are missing. `alike`: the numbers of all cells that are not surely behind the best one, itself among them, by the intervals that the words
    rest on: a map's frame.
    """

    best: int | None
    values: dict[str, Value]
    settings: tuple[Setting, ...]
    margin: float
    compared: int
    cells: int
    seeds: int
    so_far: bool
    alike: tuple[int, ...] = ()

    @property
    def unclear(self) -> list[Answer]:
        """Every answer that is not clear yet."""
        return [a for s in self.settings for a in s.having("unclear")]

    @property
    def need(self) -> int | None:
        """Tell the seeds that would settle all that is open, where a number would; None where nothing is open."""
        known = [a.behind.need for a in self.unclear if a.behind is not None]
        return None if not known or None in known else max(n for n in known if n is not None)

    def told(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def answer(tried: Sequence[Tried], judge: Judge, best: int | None = None) -> Answers:
    """Answer for every setting that was varied. `best`: the cell that was chosen on validation; by default the best mean of those with most seeds."""
    names, so_far = varied(tried), any(t.state != "ended" for t in tried)
    chosen = next((t for t in tried if t.number == best and t.scores), None) if best is not None else None
    chosen = chosen or best_of(tried, judge.better)
    if chosen is None:
        return Answers(None, {}, (), 0.0, 0, 0, 0, so_far)
    alone = [chosen.baseline[n] for n in chosen.scores if n in chosen.baseline]
    margin = judge.units(alone or list(chosen.scores.values()))
    found = {name: [_stands_for(tried, chosen, name, v, judge.better) for v in _values(tried, name)] for name in names}
    asked: list[tuple[Tried, list[float]]] = []
    looked_at = 0
    for each in found.values():
        for place in each:
            if place.other is not None and place.word is None:
                asked.append((place.other, _differences(chosen, place.other, judge.better)))
                looked_at += place.among
    scored = sum(bool(t.scores) for t in tried)
    judged = stepping.behind([d for _, d in asked], margin, looked_at, math.ceil(scored * looked_at / 2))
    told = dict(zip([id(t) for t, _ in asked], judged, strict=True))
    settings = tuple(Setting(name, tuple(place.answer(told) for place in each)) for name, each in found.items())
    values = {name: chosen.values[name] for name in names}
    words = {other.number: told[id(other)].word for other, _ in asked}
    alike = _alike(tried, chosen, judge.better, margin, words)
    near = [t for t in tried if t.number in alike]
    settings = tuple(
        replace(s, answers=tuple(_elsewhere(a, s.name, near, chosen, names) for a in s.answers)) for s in settings
    )
    return Answers(chosen.number, values, settings, margin, looked_at, scored, len(chosen.scores), so_far, alike)


def _alike(
    tried: Sequence[Tried], best: Tried, better: Better, margin: float, words: Mapping[int, Word]
) -> tuple[int, ...]:
    """Name the cells that may be as good as the best one. `words`: of the cells that answers have judged, which count here too.

    All others are judged as these were, among all pairs of cells. With one seed, what lies within the margin may be as good.
    """
    others = [t for t in tried if t is not best and set(t.scores) & set(best.scores)]
    gaps = {t.number: _differences(best, t, better) for t in others}
    if len(best.scores) < 2:
        return tuple(sorted({best.number} | {n for n, gap in gaps.items() if sum(gap) / len(gap) <= margin}))
    known = {tuple(sorted(t.scores.items())): words[t.number] for t in others if t.number in words}
    found: dict[int, Word | None] = {
        t.number: known.get(tuple(sorted(t.scores.items()))) for t in others
    }  # the very training has its word
    left = [number for number, word in found.items() if word is None]
    scored = len(others) + 1
    judged = stepping.behind([gaps[n] for n in left], margin, len(others), scored * (scored - 1) // 2)
    found |= dict(zip(left, (one.word for one in judged), strict=True))
    return tuple(sorted({best.number} | {number for number, word in found.items() if word != "worse"}))


def _elsewhere(one: Answer, name: str, near: Sequence[Tried], best: Tried, names: Sequence[str]) -> Answer:
    """Say of a worse value in what other settings a framed cell with it differs from the best one: in as few as any does."""
    if one.word != "worse":
        return one
    changed = [
        tuple(n for n in names if n != name and t.values[n] != best.values[n])
        for t in near
        if t.values[name] == one.value
    ]
    fewest = min(map(len, changed), default=0)
    return replace(one, elsewhere=tuple(n for n in names if any(n in c for c in changed if len(c) == fewest)))


def best_of(tried: Sequence[Tried], better: Better) -> Tried | None:
    """Choose the cell with the best mean among those with most seeds; of equal ones the first."""
    scored = [t for t in tried if t.scores]
    most = max((len(t.scores) for t in scored), default=0)
    sign = 1.0 if better == "higher" else -1.0
    return max((t for t in scored if len(t.scores) == most), key=lambda t: (sign * t.mean, -t.number), default=None)


@dataclass(frozen=True)
class _Place:
    value: Value
    word: Word | None  # None: still to be judged
    other: Tried | None = None
    among: int = 1  # cells that it was chosen from

    def answer(self, told: dict[int, Behind]) -> Answer:
        if self.other is None or self.word is not None:
            return Answer(self.value, self.word or "failed", None if self.other is None else self.other.number)
        found = told[id(self.other)]
        return Answer(self.value, found.word, self.other.number, found)


def _values(tried: Sequence[Tried], name: str) -> list[Value]:
    """List the values of a setting: numbers upwards, names in the order of the spec."""
    found = list(dict.fromkeys(t.values[name] for t in tried if t.values[name] is not None))
    return sorted(found, key=lambda v: v if isinstance(v, int | float) else 0.0)


def _stands_for(tried: Sequence[Tried], best: Tried, name: str, value: Value, better: Better) -> _Place:
    """Find the cell that differs from the best one in this setting alone.

    Where the best cell has no such setting as the other must have (another loss has a T), the best of those on validation stands for it.
    """
    if best.values[name] == value:
        return _Place(value, "best", best)
    if best.values[name] is None:
        return _Place(value, "same", best)
    others = [n for n in SETTINGS if n != name]

    def fits(one: Tried) -> bool:
        return one.values[name] == value and all(
            one.values[n] == best.values[n] or None in (one.values[n], best.values[n]) for n in others
        )

    like = [t for t in tried if fits(t)]
    if best.values["alpha"] == 0 and name in OF_THE_TEACHER and all(t.values["alpha"] == 0 for t in like):
        return _Place(value, "same", best)
    if best.values["alpha"] is None and name == METHOD:  # a method is not its own baseline
        like = [t for t in like if t.values["alpha"] != 0]
    scored = [t for t in like if set(t.scores) & set(best.scores)]
    if scored:
        return _Place(value, None, best_of(scored, better), len(scored))
    states = [t.state for t in like]
    word: Word = "waiting" if "waiting" in states else "stopped" if "stopped" in states else "failed"
    return _Place(value, word, like[0] if like else None)


def _differences(best: Tried, other: Tried, better: Better) -> list[float]:
    seeds = [n for n in best.scores if n in other.scores]
    return [float(d) for d in differences([best.scores[n] for n in seeds], [other.scores[n] for n in seeds], better)]
