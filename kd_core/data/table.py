"""What a reader returns: columns of a file, plus everything that was understood or found on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from kd_core.data.files.header import Header
from kd_core.errors import Problem
from kd_core.specs import ColumnKind, ReadSpec

PLAIN = ReadSpec(separator=",", encoding="utf-8", header="yes")  # delimited text where the file itself is none


@dataclass(frozen=True)
class Table:
    """A file's rows as read.

    `frame` holds text columns as pandas strings (missing cells are NA; for text formats the cell's
    own text is kept until types are inferred, so a label `NA` is not lost) and native types where
    the format has them (Parquet, Excel, JSON lines).
    `understood` says how the file was read ("comma", "UTF-8", "305 files"), shown to the person.
    `header` says what the first row was taken for; None for formats that have names of their own.
    `kinds`: types of columns that the format itself tells.
    `settled`: how to read another file like it, with nothing left to find out. `part`: the column in which the files or
    folders of an archive say which part of the split a row belongs to. `group`: the column of groups that the format has, such as queries. `answers`: columns with a teacher's answers, in a file that has
    no target.
    """

    frame: pd.DataFrame
    format: str
    understood: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    members: tuple[str, ...] = ()
    size_bytes: int = 0
    header: Header | None = None
    kinds: Mapping[str, ColumnKind] = field(default_factory=dict)
    settled: ReadSpec = PLAIN
    part: str | None = None
    answers: tuple[str, ...] = ()
    group: str | None = None


@dataclass(frozen=True)
class ColumnProfile:
    """One column as understood.

    `histogram`: (labels, counts), at most 20 bars. `target_link`: 0..1, how well the column alone
    predicts the target (None before a target is known). `examples`: up to 3 values as text.
    """

    name: str
    kind: ColumnKind
    missing: int
    distinct: int
    examples: tuple[str, ...] = ()
    histogram: tuple[tuple[str, ...], tuple[int, ...]] = ((), ())
    target_link: float | None = None
    used: bool = True
    why_dropped: str | None = None
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Profile:
    """A table as understood: typed columns, the likely target and task, and all problems at once.

    `frame` is the typed frame (numbers float64, categories/text/id pandas string or category,
    booleans as category with their own text, datetimes datetime64).
    `candidates`: columns that may be the target, best first, where a person should choose; empty where the target was
    asked for or its name says it. `readings`: tasks that fit the target equally well, empty where one is plain.
    `given_part`: a column that holds a split, which nobody asked for. `split`: rows of training, validation and test,
    empty where no split is possible.
    """

    columns: tuple[ColumnProfile, ...]
    num_rows: int
    target: str | None
    task: str | None
    classes: tuple[str, ...]
    class_counts: tuple[int, ...]
    positive: str | None
    problems: tuple[Problem, ...]
    understood: dict[str, str]
    frame: pd.DataFrame
    size_bytes: int = 0
    header: Header | None = None
    candidates: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()
    given_part: str | None = None
    split: tuple[int, ...] = ()

    def column(self, name: str) -> ColumnProfile:
        """Return one column's profile. Errors: KeyError."""
        return next(c for c in self.columns if c.name == name)
