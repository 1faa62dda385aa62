"""The cells of a what-if as one table, its scalars, and which of its cells belong together. No drawing here.

A cell is one setting: student, T, alpha, learning rate, weight decay, dropout, made rows.
"""

from __future__ import annotations

import functools
from collections import namedtuple
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from kd_core.evaluate import METRICS
from pages.ui.result import differences

BUDGET = ("learning_rate", "weight_decay", "dropout")  # what a cell has in common with its baseline
SHARED = (*BUDGET, "made_rows")  # one value at a time in the map
SETTINGS = ("temperature", "alpha", *SHARED)
COSTS = ("size", "latency", "parameters")
STRONG = 3  # margins at which the map's colour may be strongest


# The table's columns. NaN: the cell has no such setting, or it isn't known.
NUMBERS = (*SETTINGS, "mean", "gain", "low", "high", "behind", "behind_low", "behind_high", "latency_ms")
PER_SEED = ("seeds", "scores", "baseline", "selected_epochs")
COLUMNS = {
    **{"cell": "int64", "student": "str", "word": "object", "diverged": "int64"},
    **dict.fromkeys(NUMBERS, "float64"),
    **dict.fromkeys(("pairs", "parameters", "size_bytes"), "Int64"),
    **dict.fromkeys(("like_best", "stopped", "pending"), "bool"),
    **dict.fromkeys(PER_SEED, "object"),
}


class Cell(namedtuple("Cell", COLUMNS)):
    """One row of the table, None for NaN.

    Scores are on validation rows. `gain` over the baseline and its interval from `low` to `high` rest on `pairs` seeds,
    above 0 is better; `behind` is how far the best cell is ahead. `pending`: its trainings go on. What is `PER_SEED` is a
    tuple with a value per seed.
    """

    __slots__ = ()

    @property
    def judged(self) -> bool:
        """Say whether the cell has a score."""
        return self.mean is not None

    @property
    def is_baseline(self) -> bool:
        """Say whether the cell learns nothing from the teacher, so that it is its own baseline."""
        return self.alpha == 0


@dataclass(frozen=True, eq=False)
class Grid:
    """What is known of a what-if now. `metric` is what cells are chosen by, on validation rows.

    `cells`: a row per cell with the `COLUMNS`, by cell number. `seeds`, `variants` and
    `trainings` count what was asked for. `margin` is the run's own, where it has one for this metric; `teacher` its score,
    `num_rows` the number of validation and test rows, `answers` the file of the cells' answers, `spread` the target's mean and
    standard deviation.
    """

    cells: pd.DataFrame
    metric: str
    best: int | None = None
    best_of: Mapping[str, int] = field(default_factory=dict)
    variants: int = 0
    trainings: int = 0
    mode: str = ""
    why: str = ""
    seeds: int = 0
    margin: float | None = None
    teacher: float | None = None
    teacher_name: str = ""
    teacher_costs: Mapping[str, float | None] = field(default_factory=lambda: dict.fromkeys(COSTS))
    num_rows: tuple[float | None, float | None] = (None, None)
    task: str = ""
    answers: str | None = None
    classes: tuple[str, ...] = ()
    target: str = ""
    spread: tuple[float, float] = (0.0, 1.0)
    result: Mapping[str, Any] | None = None

    @functools.cached_property
    def judged(self) -> pd.DataFrame:
        """The cells that have a score."""
        return self.cells[self.cells["mean"].notna()]

    @functools.cached_property
    def students(self) -> list[str]:
        """Names of the students, in the order of the spec."""
        return list(self.cells["student"].unique())

    @functools.cached_property
    def values(self) -> dict[str, list[float]]:
        """The values every setting takes, ascending; empty where no cell has the setting."""
        return {n: values(self.cells, n) for n in SETTINGS}

    @functools.cached_property
    def varying(self) -> tuple[str, ...]:
        """The settings that take more than one value."""
        return tuple(n for n in SETTINGS if len(self.values[n]) > 1)

    @functools.cached_property
    def tolerance(self) -> float:
        """The gain that counts as the same, in what is written (points for shares)."""
        facts = METRICS.get(self.metric).facts if self.metric in METRICS.names() else {"margin": 0.0, "relative": False}
        own = facts["margin"] if self.margin is None else self.margin
        if facts["relative"]:
            alone = [abs(v) for values in self.cells["baseline"] for v in values if v is not None]
            own *= sum(alone) / len(alone) if alone else 0.0
        return float(in_units(self.metric, own) or 0.0)

    @property
    def scale(self) -> float:
        """The gain at which the colour is strongest: the largest of all cells, so that maps of students compare.

        Never below `STRONG` margins: differences that count as the same stay pale.
        """
        gains = self.judged["gain"].dropna().abs().tolist()
        return max(*(in_units(self.metric, g) or 0.0 for g in gains), STRONG * self.tolerance, 1e-9)

    @property
    def diverged(self) -> int:
        """Count the trainings that came to no usable end; cells with alpha 0 share theirs, so each counts once."""
        alone = self.cells["alpha"] == 0
        shared = self.cells[alone].drop_duplicates(["student", *BUDGET])
        return int(self.cells.loc[~alone, "diverged"].sum() + shared["diverged"].sum())

    def cell(self, index: int | None) -> Cell | None:
        """The cell with this number, or None."""
        return None if index is None else self._by_number.get(index)

    def each(self, lines: pd.DataFrame) -> list[Cell]:
        """The cells of these lines of the table, in their order."""
        return [self._by_number[number] for number in lines.index]

    @functools.cached_property
    def _by_number(self) -> dict[int, Cell]:
        return {int(cell.cell): cell for cell in rows(self.cells)}


def rows(cells: pd.DataFrame) -> list[Cell]:
    """Turn rows of the table into cells."""
    return [Cell._make(r) for r in cells.astype(object).where(cells.notna(), None).itertuples(index=False)]


def values(cells: pd.DataFrame, name: str) -> list[float]:
    """List the values a setting takes among cells, ascending."""
    return sorted(cells[name].dropna().unique().tolist())


def chosen(grid: Grid, student: str, fixed: Mapping[str, float]) -> pd.DataFrame:
    """Choose the cells of one student at fixed values of the settings that the map does not show."""
    same = grid.cells[list(fixed)].eq(pd.Series(fixed, dtype="float64")).all(axis=1)
    return grid.cells[(grid.cells["student"] == student) & same]


def alike(cells: pd.DataFrame) -> pd.DataFrame:
    """Choose the cells that can't be told apart from the best one."""
    return cells[cells["like_best"] & cells["mean"].notna()]


def unclear(cell: Cell) -> bool:
    """Say whether a cell's gain may be nothing: its interval holds 0, or it has none."""
    return cell.low is None or cell.high is None or cell.low <= 0 <= cell.high


def in_units(metric: str, value: float | None) -> float | None:
    """Turn a gain into what is written: points for shares, else as it is."""
    return None if value is None else 100 * value if differences.is_share(metric) else value
