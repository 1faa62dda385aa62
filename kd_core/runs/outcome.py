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
from kd_core.runs.settings.untaught import NO_TEACHER, UNTAUGHT, own_baseline
from kd_core.runs.store.result_damage import damage

KNOWN = (1, 2, 3, 4)
Json = Mapping[str, Any]
Credit = Literal["teacher", "unclear"]


@dataclass(frozen=True)
class Metric:
    """The metric of selection and verdict."""

    name: str
    title: str
    better: str
    unit: str


@dataclass(frozen=True)
class Arm:
    """One side of the comparison, over its seeds. `metrics` holds mean, std and values of each metric."""

    metrics: Mapping[str, Json]

    def mean(self, metric: str) -> float | None:
        """Return a metric's mean over the seeds, None where it is undefined."""
        value = (self.metrics.get(metric) or {}).get("mean")
        return None if value is None else float(value)


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


Standing = Literal["ahead", "behind", "level", "unclear"]


@dataclass(frozen=True)
class Plain:
    """The best plain model of at most the student's bytes. `arm` holds its metrics over the student's seeds;
    `gain` is the student's over it; `family` its interval among all of a run; `versus_teacher` is empty where an older result does not say.
    `same`: it is the student's own kind and size, so nothing but the student without a teacher."""

    name: str
    title: str
    bytes: int
    arm: Arm
    gain: Mapping[str, Gain]
    family: tuple[float | None, float | None]
    standing: Standing
    versus_teacher: Mapping[str, Gain]
    same: bool

    @property
    def key(self) -> tuple[Any, ...]:
        """Tell it from others: two students may be set beside the same, and with other seeds it has other scores."""
        return self.name, self.bytes, *(self.arm.mean(m) for m in sorted(self.arm.metrics))

    def judged(self, metric: str) -> Gain:
        """Return the student's gain over it with the interval that its standing is decided by, whose parts are not told."""
        gain, (low, high) = self.gain[metric], self.family
        return gain if low is None else replace(gain, low=low, high=high, seeds_half=None, rows_half=None)


@dataclass(frozen=True)
class StudentOutcome:
    """One student against its baseline and against the teacher.

    `family` holds the intervals that hold for all students together, where there are several. `selected` is the mean
    validation score of the seeds, by which students are ranked. `bytes` of the file that is deployed, and `taken` whose it is:
    of the student, or of the baseline where the model that was chosen had no teacher. `plain` and `smallest_like_it` (name, bytes,
    title): plain models to compare that one with, None where there is none or an older result does not say. `itself`: the best
    plain model of its size, by name, where that is the model to take home. `swept`: it was chosen among the cells of a what-if.
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
    seeds: tuple[int, ...]
    cell: int | None = None
    bytes: int | None = None
    taken: Literal["student", "baseline"] = "student"
    plain: Plain | None = None
    itself: str | None = None
    smallest_like_it: tuple[str, int, str] | None = None
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
        return _gains(self.raw["deployed"]["versus_teacher"]) if self.taken == "baseline" else self.versus_teacher

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


def _student(found: Json, swept: bool) -> StudentOutcome:
    placebo, advice = found.get("placebo"), found.get("advice")
    deployed = found.get("deployed") or {}
    taken = deployed.get("arm", "student")
    scores = [s.get("score_selected") for s in (found.get("selection") or {}).get(taken) or ()]
    return StudentOutcome(
        name=str(found["name"]),
        arm=Arm(found["metrics"]),
        baseline=Arm(found["baseline"]["metrics"]),
        gain=_gains(found["gain"]),
        family={
            n: (own[0], own[1])
            for n, g in found["gain"].items()
            if (own := g.get("ci_family")) and own[0] is not None  # one seed has no interval
        },
        versus_teacher=_gains(found.get("versus_teacher") or {}),
        placebo=Placebo(Arm(placebo["metrics"]), _gains(placebo["gain"]), placebo.get("of", "smoothed"))
        if placebo
        else None,
        placebo_reason=found.get("placebo_reason"),
        advice=Advice(advice["kind"], advice["need"]) if advice else None,
        verdict=str(found["verdict"]),
        small=bool(found.get("small", False)),
        margin=float(found["margin"]),
        selected=float(np.mean(scores)) if scores and None not in scores else None,
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
        low, high = best["ci_family"]
        about = best["name"], best["title"], int(best["bytes"]), Arm(best["metrics"]), _gains(best["gain"])
        told["plain"] = Plain(*about, (low, high), best["word"], _gains(best.get("versus_teacher") or {}), same)
    if smallest:
        told["smallest_like_it"] = str(smallest["name"]), int(smallest["bytes"]), str(smallest["title"])
    return told


def _gains(found: Json) -> dict[str, Gain]:
    return {name: read_gain(gain) for name, gain in found.items()}


def read_gain(found: Json) -> Gain:
    """Read a difference with its interval."""
    low, high = found["ci95"]
    return Gain(found["mean"], low, high, found.get("seeds_half"), found.get("rows_half"), found["n"])


def write_gain(gain: Gain) -> dict[str, Any]:
    """Write a difference as result.json holds it. Units: the metric's; the parts are half widths at 95 %."""
    parts = {"seeds_half": gain.seeds_half, "rows_half": gain.rows_half}
    return {"mean": gain.mean, "ci95": [gain.low, gain.high], **parts, "n": gain.n}
