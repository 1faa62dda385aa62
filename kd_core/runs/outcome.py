"""A result as typed values: what result.json says, whichever version of it wrote the folder.

Version 1 knew the seeds only: its gains have no parts, no comparison with the teacher, no placebo and no advice. Before
version 3 the cells of a what-if stood in its `sweep`, and an ordinary run had none: they are made from its students.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from kd_core.data.encoding.vocabulary import Vocabulary
from kd_core.errors import KDError
from kd_core.evaluate.intervals.compare import Gain
from kd_core.runs.cells import grid
from kd_core.runs.cells.older_cells import written_cells
from kd_core.runs.plain.told import Plain, Rule, read_plain, takes
from kd_core.runs.settings.untaught import NO_TEACHER, UNTAUGHT, own_baseline
from kd_core.runs.store.measured import Arm, Json, read_gain, read_gains
from kd_core.runs.store.result_damage import damage

KNOWN = (1, 2, 3, 4)
Credit = Literal["teacher", "unclear"]


@dataclass(frozen=True)
class Metric:
    """The metric of selection and verdict."""

    name: str
    title: str
    better: str
    unit: str


@dataclass(frozen=True)
class Placebo:
    """The same student on labels smoothed without a teacher; `gain` is the student's over it.

    `of` rows: on the teacher's own lesson, but with each row another's; of both: so for the terms that look inside, smoothed for the others.
    """

    arm: Arm
    gain: Mapping[str, Gain]
    of: Literal["smoothed", "rows", "both"] = "smoothed"


@dataclass(frozen=True)
class Advice:
    """What would decide an open verdict: about `need` seeds or test rows; kind 'none' when it is decided."""

    kind: str
    need: int | None


@dataclass(frozen=True)
class StudentOutcome:
    """One student against its baseline and against the teacher.

    `family` holds the intervals that hold for all students together, where there are several. `selected` is the mean
    validation score of the seeds, by which students are ranked, `selected_alone` that of the baseline. `bytes` of the file that is deployed, and `taken` whose it is:
    of the student, or of the baseline where the model that was chosen had no teacher. `plain` and `smallest_like_it` (name, bytes,
    title): plain models to compare that one with, None where there is none or an older result does not say. `smaller`: the second of
    them where it takes fewer bytes and was asked about the test rows. `itself`: the best plain model of its size, by name, where that is
    the model to take home. `swept`: it was chosen among the cells of a what-if.
    """

    name: str
    arm: Arm
    baseline: Arm
    gain: Mapping[str, Gain]
    family: Mapping[str, tuple[float, float]]
    versus_teacher: Mapping[str, Gain]
    placebo: Placebo | None
    placebo_reason: str | None
    advice: Advice | None
    verdict: str
    small: bool
    margin: float
    selected: float | None
    selected_alone: float | None
    seeds: tuple[int, ...]
    cell: int | None = None
    bytes: int | None = None
    taken: Literal["student", "baseline"] = "student"
    plain: Plain | None = None
    itself: str | None = None
    smallest_like_it: tuple[str, int, str] | None = None
    smaller: Plain | None = None
    swept: bool = False
    raw: Json = field(default_factory=dict, repr=False)

    @functools.cached_property
    def untaught(self) -> bool:
        """Say whether it learned nothing from the teacher: then it is its own baseline, and nothing can be told of a gain."""
        return own_baseline(self.raw)

    @property
    def word(self) -> str:
        """Return the word that is said of it: its verdict, but of one that is its own baseline that it had no teacher."""
        return (UNTAUGHT if self.swept else NO_TEACHER) if self.untaught else self.verdict

    @property
    def alone(self) -> bool:
        """Say whether the model to take home is the one trained without a teacher."""
        return self.taken == "baseline" or self.untaught

    @property
    def names(self) -> Vocabulary | None:
        """Return which names of category values its file knows, None where it knows all. Errors: KDError `damaged_result`."""
        told = (self.raw.get("deployed") or {}).get("names")
        with damage():
            return None if told is None else Vocabulary.of(told)

    @property
    def own(self) -> Arm:
        """Return the metrics of the model to take home."""
        return self.baseline if self.alone else self.arm

    @property
    def own_versus_teacher(self) -> Mapping[str, Gain]:
        """Return how the model to take home stands against the teacher."""
        return read_gains(self.raw["deployed"]["versus_teacher"]) if self.taken == "baseline" else self.versus_teacher

    @property
    def plains(self) -> tuple[Plain, ...]:
        """List the plain models that were asked about the test rows."""
        return tuple(p for p in (self.plain, self.smaller) if p is not None)

    def instead(self, metric: Metric) -> Plain | None:
        """Return the plain model to take in its place, None where it is to be taken itself: that of its size, or one smaller still."""
        rule, own = Rule(metric.name, metric.better, self.margin), self.bytes or 0
        first = self.plain if self.plain and takes(self.plain, self.plain.standing, self.own, own, rule) else None
        if self.smaller is None or not takes(self.smaller, self.smaller.standing, self.own, own, rule):
            return first
        hurt = self.verdict == "hurts" and not self.alone  # then it is not the student that would be taken
        if first is None:
            return None if hurt else self.smaller
        return self.smaller if takes(self.smaller, self.smaller.best, first.arm, first.bytes, rule) else first

    def rival(self, metric: Metric) -> Plain | None:
        """Return the plain model to show beside it: the one that takes its place, else the best of its size."""
        return self.instead(metric) or self.plain

    def judged(self, metric: str) -> Gain | None:
        """Return the gain with the interval that its word is decided by: with several students that of all together, whose parts are not told; None of one without a teacher."""
        if self.untaught:
            return None
        gain, both = self.gain.get(metric), self.family.get(metric)
        return replace(gain, low=both[0], high=both[1], seeds_half=None, rows_half=None) if gain and both else gain

    def credit(self, metric: str) -> Credit | None:
        """Say whose the gain is: this teacher's where the interval over the placebo is above 0, or not clear; None without a placebo."""
        over = self.placebo.gain.get(metric) if self.placebo else None
        if over is None:
            return None
        return "teacher" if over.low is not None and over.low > 0 else "unclear"


@dataclass(frozen=True)
class Cell:
    """One setting of one student against its baseline, on validation rows; `gain` is None where nothing can be compared.

    `like_best`: the seeds can't tell it from the best cell. `settings` by the names of `grid.AXES`, None where the student
    or the loss has no such setting, or an older result does not say. `raw` is the cell as version 3 writes it.
    """

    number: int
    student: str
    settings: Mapping[str, float | None]
    gain: Gain | None
    like_best: bool
    stopped: bool
    diverged: int
    raw: Json = field(repr=False)


@dataclass(frozen=True)
class Outcome:
    """What a finished run found."""

    schema: int
    task: str
    metric: Metric
    teacher: Mapping[str, float | None]
    students: tuple[StudentOutcome, ...]
    test_reads: int | None
    best_cell: int | None
    raw: Json = field(repr=False)

    @property
    def best(self) -> int:
        """Return the position of the student to show first: best on validation, never on the test rows."""
        for position, student in enumerate(self.students):
            if self.best_cell is not None and student.cell == self.best_cell:
                return position
        sign = 1.0 if self.metric.better == "higher" else -1.0
        ranks = [-np.inf if s.selected is None else sign * s.selected for s in self.students]
        return int(np.argmax(ranks))

    @functools.cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell of the run, one for each student of an ordinary one. Errors: KDError `damaged_result`."""
        with damage():
            return tuple(_cell(c) for c in written_cells(self.raw))

    @property
    def has_map(self) -> bool:
        """Say whether a student has several cells, so that there is something to lay out."""
        return len(self.cells) > len({c.student for c in self.cells})

    @property
    def varied(self) -> tuple[str, ...]:
        """Name the settings of which the cells have several values."""
        return varied([c.settings for c in self.cells])


def varied(settings: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Name the settings that take several values."""
    return tuple(n for n in grid.AXES if len({s.get(n) for s in settings} - {None}) > 1)


def read_outcome(result: Json) -> Outcome:
    """Read the content of result.json. Errors: KDError `other_schema`, `damaged_result`."""
    schema = result.get("schema") if isinstance(result, Mapping) else None
    if isinstance(schema, int) and schema > max(KNOWN):
        raise KDError(
            "The result was written by a newer version (format {schema}, known up to {known}).",
            "Open it with the version that wrote it, or update.",
            "other_schema",
            schema=schema,
            known=max(KNOWN),
        )
    with damage():
        metric = result["metric"]
        if not isinstance(metric["name"], str):
            raise TypeError("the metric has no name")
        return Outcome(
            schema=int(result["schema"]),
            task=str(result["task"]),
            metric=Metric(
                metric["name"], metric.get("title", metric["name"]), metric["better"], metric.get("unit", "")
            ),
            teacher=dict(result["teacher"]["metrics"]),
            students=tuple(_student(s, bool(result.get("sweep"))) for s in result["students"]),
            test_reads=result.get("test_reads"),
            best_cell=(result.get("sweep") or {}).get("best"),
            raw=result,
        )


def _cell(found: Json) -> Cell:
    return Cell(
        number=int(found["cell"]),
        student=str(found["student"]),
        settings={name: found.get(name, 0) if name == grid.MADE_ROWS else found[name] for name in grid.AXES},
        gain=None if found["gain"]["mean"] is None else read_gain(found["gain"]),
        like_best=bool(found["like_best"]),
        stopped=bool(found["stopped"]),
        diverged=int(found["diverged"]),
        raw=found,
    )


def _validated(found: Json, arm: str) -> float | None:
    """Return the mean validation score of all seeds of an arm; None where one of them is not known."""
    scores = [s.get("score_selected") for s in (found.get("selection") or {}).get(arm) or ()]
    return float(np.mean(scores)) if scores and None not in scores else None


def _student(found: Json, swept: bool) -> StudentOutcome:
    placebo, advice = found.get("placebo"), found.get("advice")
    deployed = found.get("deployed") or {}
    taken = deployed.get("arm", "student")
    return StudentOutcome(
        name=str(found["name"]),
        arm=Arm(found["metrics"]),
        baseline=Arm(found["baseline"]["metrics"]),
        gain=read_gains(found["gain"]),
        family={
            n: (own[0], own[1])
            for n, g in found["gain"].items()
            if (own := g.get("ci_family")) and own[0] is not None  # one seed has no interval
        },
        versus_teacher=read_gains(found.get("versus_teacher") or {}),
        placebo=Placebo(Arm(placebo["metrics"]), read_gains(placebo["gain"]), placebo.get("of", "smoothed"))
        if placebo
        else None,
        placebo_reason=found.get("placebo_reason"),
        advice=Advice(advice["kind"], advice["need"]) if advice else None,
        verdict=str(found["verdict"]),
        small=bool(found.get("small", False)),
        margin=float(found["margin"]),
        selected=_validated(found, taken),
        selected_alone=_validated(found, "baseline"),
        seeds=tuple(found["seeds"]),
        cell=found.get("cell"),
        bytes=deployed.get("bytes"),
        taken=taken,
        **_reference(found.get("reference") or {}, found, deployed),
        swept=swept,
        raw=found,
    )


def _reference(found: Json, student: Json, deployed: Json) -> dict[str, Any]:
    best, smallest, told = found.get("best"), found.get("smallest"), dict[str, Any]()
    own = student.get("arch", {}).get("name"), deployed.get("bytes")
    same = best is not None and None not in own and (best.get("arch", {}).get("name"), best["bytes"]) == own
    if best and same and (deployed.get("arm") == "baseline" or own_baseline(student)):
        told["itself"] = str(best["name"])
    elif best:
        told["plain"] = read_plain(best, "plain", same=same)
    if smallest:
        told["smallest_like_it"] = str(smallest["name"]), int(smallest["bytes"]), str(smallest["title"])
        told["smaller"] = read_plain(smallest, "smaller") if smallest.get("gain") else None
    return told
