"""The cells of a what-if, the trainings they need, each cell's recipe, and a finer grid around one.

A cell is one setting of everything that is varied; alpha 0 is the baseline itself, so its cells share one training.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from kd_core.errors import SpecError
from kd_core.runs.cells.methods import first_alike, lesson_of, told_alike
from kd_core.specs import Choice, RunSpec, Spec, StudentSpec, SweepSpec, TrainingSpec

MADE_ROWS = "made_rows"  # came later: where it is 0 it is not written
AXES = ("temperature", "alpha", "learning_rate", "weight_decay", "dropout", MADE_ROWS)
WORDS = {
    "temperature": "T",
    "alpha": "alpha",
    "learning_rate": "learning rate",
    "weight_decay": "weight decay",
    "dropout": "dropout",
    "made_rows": "made rows",
}
ZOOM_AXES = 2  # a heat map has two
ZOOM_POINTS = 5
NAME_LENGTH = 120
CLOSER = " · closer at "

Arm = Literal["baseline", "student", "placebo"]
Numbers = Sequence[int] | None


@dataclass(frozen=True)
class Cell:
    """One setting. `student` is a position in the spec's students; None: the loss or architecture has no such setting."""

    index: int
    student: int
    temperature: float | None
    alpha: float | None
    learning_rate: float
    weight_decay: float
    dropout: float | None
    made_rows: int = 0


@dataclass(frozen=True)
class GridCount:
    """How much a what-if asks for: settings, settings times seeds, and trainings with their baselines."""

    cells: int
    variants: int
    trainings: int


@dataclass(frozen=True)
class GridTraining:
    """One training of a run: `like` holds the settings it is trained with, `cells` all that it serves.

    A baseline serves the cells with alpha 0 and is what every cell of its student, learning rate, weight decay,
    dropout and seed is compared with.
    """

    position: int
    arm: Arm
    seed: int
    like: Cell
    cells: tuple[int, ...]


def cells(spec: RunSpec) -> tuple[Cell, ...]:
    """List the cells: students first, then temperature, alpha, learning rate, weight decay, dropout and made rows, each ascending.

    Errors: UnknownName for a loss or architecture that nobody registered.
    """
    found: list[Cell] = []
    for student, axes in enumerate(_axes_per_student(spec)):
        for values in itertools.product(*axes):
            found.append(Cell(len(found), student, *values))
    return tuple(found)


def axes(spec: RunSpec) -> dict[str, list[float]]:
    """Tell the values of every axis over all students, ascending; empty where no student or the loss has the setting."""
    found: dict[str, set[float]] = {name: set() for name in AXES}
    for per_student in _axes_per_student(spec):
        for name, values in zip(AXES, per_student, strict=True):
            found[name] |= {v for v in values if v is not None}
    told = {name: sorted(values) for name, values in found.items()}
    return {name: values for name, values in told.items() if name != MADE_ROWS or values != [0]}


def seeds(spec: RunSpec) -> range:
    """Return the seeds of every cell."""
    return range(spec.training.first_seed, spec.training.first_seed + spec.training.seeds_at_first)


def trainings(
    spec: RunSpec, wanted: Numbers = None, placebo: bool = False, first: int = 0, only: Numbers = None
) -> tuple[GridTraining, ...]:
    """List the trainings of all seeds, or of the wanted ones, seed by seed and baselines first.

    With `placebo` every taught cell is trained on the placebo's lesson as well. Positions count from `first`; `only`: cells to train.
    """
    every = cells(spec)
    budgets: dict[tuple[Any, ...], list[Cell]] = {}
    for cell in every:
        budgets.setdefault(budget(spec, cell), []).append(cell)
    found: list[GridTraining] = []
    for seed in seeds(spec) if wanted is None else wanted:
        for alike in (b for b in budgets.values() if only is None or any(c.index in only for c in b)):
            shared = tuple(c.index for c in alike if is_baseline(c))
            like = replace(alike[0], temperature=None, alpha=None, made_rows=0)
            found.append(GridTraining(first + len(found), "baseline", seed, like, shared))
        for cell in every:
            if not is_baseline(cell) and (only is None or cell.index in only):
                found.append(GridTraining(first + len(found), "student", seed, cell, (cell.index,)))
                if placebo:
                    found.append(GridTraining(first + len(found), "placebo", seed, cell, (cell.index,)))
    return tuple(found)


def plan_fields(spec: RunSpec, every: Sequence[GridTraining] | None = None) -> dict[str, Any]:
    """What the `plan` event of a what-if says beside the ordinary fields."""
    asked = count(spec)
    return {
        "cells": asked.cells,
        "variants": asked.variants,
        "settings": [
            {**asdict(c), "student": spec.students[c.student].name, **told_alike(spec, c.student)} for c in cells(spec)
        ],
        "grid": [
            {
                "cells": list(t.cells),
                "arm": t.arm,
                "student": spec.students[t.like.student].name,
                "seed": t.seed,
                "budget": list(budget(spec, t.like)),
            }
            for t in every or trainings(spec)
        ],
    }


def budget(spec: RunSpec, cell: Cell) -> tuple[int, float, float, float | None]:
    """Name what a cell and its baseline have in common, the first student of its architecture among it; not made rows, which a baseline has no teacher to label."""
    return first_alike(spec, cell.student), cell.learning_rate, cell.weight_decay, cell.dropout


def is_baseline(cell: Cell) -> bool:
    """Say whether the teacher has no share in the lesson."""
    return cell.alpha == 0


def count(spec: RunSpec) -> GridCount:
    """Count cells, variants and trainings without listing them, so that it is quick for any grid."""
    every = taught = alone = 0
    for student, (temperature, alpha, *budgets, made) in enumerate(_axes_per_student(spec)):
        budgets_of_student = math.prod(len(axis) for axis in budgets)
        lessons = budgets_of_student * len(temperature) * len(made)
        every += lessons * len(alpha)
        taught += lessons * sum(a != 0 for a in alpha)
        alone += budgets_of_student if first_alike(spec, student) == student else 0
    n = spec.training.seeds_at_first
    return GridCount(every, every * n, (taught + alone) * n)


def most_made(spec: RunSpec) -> int:
    """Return how many times the training rows are made at most."""
    return max((spec.sweep.made_rows if spec.sweep else ()) or (spec.training.made_rows,))


def student_of(spec: RunSpec, cell: Cell) -> StudentSpec:
    """Return the cell's student with the cell's dropout."""
    student = spec.students[cell.student]
    arch = student.arch
    settings = _filled(arch.settings, _arch_spec(arch.name), dropout=cell.dropout)
    return student.model_copy(update={"arch": Choice(name=arch.name, settings=settings)})


def objective_of(spec: RunSpec, cell: Cell) -> Choice:
    """Return the loss of the cell's student with the cell's temperature and alpha."""
    held = lesson_of(spec, spec.students[cell.student])
    settings = _filled(held.settings, _loss_spec(held), temperature=cell.temperature, alpha=cell.alpha)
    return Choice(name=held.name, settings=settings)


def cell_spec(spec: RunSpec, cell: Cell) -> RunSpec:
    """Return the cell as an ordinary run of its student: its recipe.

    A setting at its default that the what-if did not name stays unnamed, as in the forms, so that the recipe has
    the same work hash as a run that was set up by hand.
    """
    own = {"learning_rate": cell.learning_rate, "weight_decay": cell.weight_decay, MADE_ROWS: cell.made_rows}
    training = spec.training.model_copy(update=own)
    return spec.model_copy(
        update={
            "name": f"{spec.title()[: NAME_LENGTH - 60].strip()} · {label(cell, varied(spec))}"[:NAME_LENGTH],
            "students": (student_of(spec, cell).model_copy(update={"objective": None}),),
            "objective": objective_of(spec, cell),
            "training": training,
            "sweep": None,
        }
    )


def label(cell: Cell, names: Sequence[str] = ("temperature", "alpha")) -> str:
    """Name a cell by some of its settings, for example 'T 4, alpha 0.75'."""
    found = [(WORDS[name], getattr(cell, name)) for name in names]
    return ", ".join(f"{word} {value:g}" for word, value in found if value is not None)


def varied(spec: RunSpec) -> tuple[str, ...]:
    """Name the axes that have several values; temperature and alpha when none has."""
    held = axes(spec)
    return tuple(n for n in AXES if len(held.get(n, ())) > 1) or ("temperature", "alpha")


def zoom(spec: RunSpec, cell: Cell) -> RunSpec:
    """Return a finer what-if around a cell: its neighbours, the midpoints to them, and the cell itself.

    The two axes with several values that come first are refined to at most 5 values, further ones keep the cell's
    value. Midpoints are geometric for temperature, learning rate and weight decay (where above 0), else arithmetic.
    At the edge of an axis the grid goes on beyond it by as much, within the bounds of the field.
    """
    held = dict(zip(AXES, list(_axes_per_student(spec))[cell.student], strict=True))
    sweep = spec.sweep or SweepSpec()
    between = [name for name in AXES if name != MADE_ROWS]  # whole numbers have nothing between them
    refined = [name for name in between if len(held[name]) > 1][:ZOOM_AXES]
    changes: dict[str, Any] = {}
    for name in AXES:
        value = getattr(cell, name)
        if name in refined and value is not None:
            changes[name] = _between(name, held[name], value, _bounds(spec, cell, name))
        elif getattr(sweep, name) and value is not None:
            changes[name] = (value,)
        else:
            changes[name] = ()
    name = f"{spec.title().split(CLOSER)[0][: NAME_LENGTH - 60]}{CLOSER}{label(cell, refined or AXES)}"
    return spec.model_copy(
        update={
            "name": name[:NAME_LENGTH],
            "students": (spec.students[cell.student],),
            "sweep": SweepSpec.parse({**changes, "mode": sweep.mode}, "zoom"),
        }
    )


def _between(name: str, held: Sequence[float], value: float, bounds: tuple[float, float]) -> tuple[float, ...]:
    """Lay at most ZOOM_POINTS values around one, from its lower to its upper neighbour."""
    at = held.index(value)
    below = held[at - 1] if at > 0 else None
    above = held[at + 1] if at + 1 < len(held) else None
    geometric = name in ("temperature", "learning_rate", "weight_decay") and min(below or held[0], value) > 0
    lowest, highest = bounds

    def beyond(other: float) -> float:
        return value * value / other if geometric else 2 * value - other

    low = below if below is not None else max(lowest, beyond(above)) if above is not None else value
    high = above if above is not None else min(highest, beyond(below)) if below is not None else value
    geometric = geometric and low > 0  # the square of a tiny value is 0
    half = ZOOM_POINTS // 2
    if low == value:  # at the bound of the field: all points lie on one side
        steps = [(value, high, i / (ZOOM_POINTS - 1)) for i in range(ZOOM_POINTS)]
    elif high == value:
        steps = [(low, value, i / (ZOOM_POINTS - 1)) for i in range(ZOOM_POINTS)]
    else:
        steps = [(low, value, i / half) for i in range(half + 1)] + [
            (value, high, i / half) for i in range(1, half + 1)
        ]
    found = {a * (b / a) ** share if geometric else a + (b - a) * share for a, b, share in steps}
    near = {float(f"{v:.4g}") for v in found}
    return tuple(sorted({min(highest, max(lowest, v)) for v in near if v != float(f"{value:.4g}")} | {value}))


def _bounds(spec: RunSpec, cell: Cell, name: str) -> tuple[float, float]:
    """Read the smallest and largest value of a setting from the field that takes it."""
    if name in ("temperature", "alpha"):
        fields: type[Spec] = _loss_spec(lesson_of(spec, spec.students[cell.student]))
    elif name == "dropout":
        fields = _arch_spec(spec.students[cell.student].arch.name)
    else:
        fields = TrainingSpec
    low, high = 0.0, float("inf")
    for bound in fields.model_fields[name].metadata:
        low = max(low, float(getattr(bound, "ge", low) or low))
        high = min(high, float(getattr(bound, "le", high)))
    return low, high


def _axes_per_student(spec: RunSpec) -> Iterator[list[tuple[Any, ...]]]:
    sweep = spec.sweep or SweepSpec()
    for student in spec.students:
        held = lesson_of(spec, student)
        loss = _loss_spec(held)
        arch = _arch_spec(student.arch.name)
        yield [
            _axis(sweep.temperature, held.settings, loss, "temperature"),
            _axis(sweep.alpha, held.settings, loss, "alpha"),
            sweep.learning_rate or (spec.training.learning_rate,),
            sweep.weight_decay or (spec.training.weight_decay,),
            _axis(sweep.dropout, student.arch.settings, arch, "dropout"),
            sweep.made_rows or (spec.training.made_rows,),
        ]


def _axis(asked: tuple[float, ...], settings: dict[str, Any], fields: type[Spec], name: str) -> tuple[Any, ...]:
    if name not in fields.model_fields:
        return (None,)
    return asked or (_as_float(settings.get(name, _default(fields, name))),)


def _as_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError(
            "A setting of the what-if is {value!r}, not a number.", "Write a number.", "not_a_number", value=value
        )
    return float(value)


def _default(fields: type[Spec], name: str) -> Any:
    return fields.model_fields[name].get_default(call_default_factory=True)


def _filled(settings: dict[str, Any], fields: type[Spec], **values: float | None) -> dict[str, Any]:
    """Put values into settings; one that is what the settings mean already leaves them as they are."""
    filled = dict(settings)
    for name, value in values.items():
        if value is None or (name not in filled and value == _default(fields, name)) or filled.get(name) == value:
            continue
        filled[name] = value
    return filled


# The registries load torch, which a page that only draws a finished grid should not wait for.
def _loss_spec(objective: Choice) -> type[Spec]:
    from kd_core.distill import loss_of

    return loss_of(objective).spec


def _arch_spec(name: str) -> type[Spec]:
    from kd_core.models import ARCHS

    return ARCHS.get(name).spec
