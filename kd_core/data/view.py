"""Ways to read rows: teacher and student need not read the same one.

A view turns the columns of a table into what a model takes: features, token numbers, pixels. It learns from the
training rows alone, is made when it is first asked for, and is kept for as long as its dataset.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core import written
from kd_core.data.input_spec import TABLE, InputSpec
from kd_core.data.types.base import ColumnType
from kd_core.data.types.raw_rows import RULES, Rows, read_rules, typed_rows, unused, write_rules
from kd_core.errors import DataError, Problem, SpecError
from kd_core.registry import Entry, Registry, view_title

if TYPE_CHECKING:  # onnx takes a quarter of a second to import
    from kd_core.data.encoding.raw_graph import RawGraph

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
Array = npt.NDArray[Any]


class View(ABC):
    """One fitted or unfitted way to read columns of a table. Legend: N rows.

    `types`: the columns that it reads, and how each is read from raw values.
    """

    def __init__(self, types: Mapping[str, ColumnType], task: str, seed: int) -> None:
        self.types, self.task, self.seed = dict(types), task, seed

    @abstractmethod
    def fit(self, frame: pd.DataFrame, y: Array, groups: Array | None) -> Mapping[str, Array]:
        """Learn from the training rows; return, by column, what `encode` would not give for them (averages of targets)."""

    @abstractmethod
    def encode(self, frame: pd.DataFrame, own: Mapping[str, Array] | None = None) -> Any:
        """Turn rows, raw or typed, into numbers; nothing fails on unknown values. Shape: (N, *spec.shape)."""

    def read(self, rows: Rows) -> tuple[Any, tuple[str, ...]]:
        """Encode rows from outside; return what a person should be told as well. Shape: N rows -> (N, *spec.shape).

        Errors: DataError as `typed_rows`.
        """
        frame, extra, lost = typed_rows(rows, self.types)
        said = (*unused(extra), *lost)
        if not len(frame):  # a batch may be empty
            return np.zeros((0, *self.spec.shape), self.spec.dtype), said
        return self.encode(frame), said

    @property
    @abstractmethod
    def spec(self) -> InputSpec:
        """Describe what `encode` gives; known after `fit`."""

    def without(self, rows: HeldOut) -> tuple[Any, Any, Any] | None:
        """Encode the other training rows, validation and held-out rows without the held-out targets; None: no target was seen."""
        return None

    def told(self) -> tuple[Problem, ...]:
        """Return what a person should know of how the training rows were read; known after `fit`."""
        return ()

    def first(self, count: int) -> View:
        """Return a view that tells no terms apart but the first so many; this one where it has none to leave out."""
        return self

    def learned(self) -> dict[str, bytes]:
        """Return, by file name, what was learned: JSON, npz or a format of its own, never a pickle."""
        return {}

    def relearn(self, files: Mapping[str, bytes]) -> None:
        """Take over what `learned` returned, instead of `fit`; nothing where nothing is learned."""
        return

    def state(self) -> dict[str, bytes]:
        """Return, by file name, all that is needed to encode rows the same way, how their columns are read included."""
        return {**self.learned(), RULES: write_rules(self.types)}

    @classmethod
    def from_state(cls, files: Mapping[str, bytes]) -> Self:
        """Make a fitted view of what `state` returned: it encodes rows bit for bit as the one that was saved."""
        made = cls(read_rules(files[RULES]), "", 0)
        made.relearn(files)
        return made

    def graph(self) -> RawGraph | None:
        """Draw `encode` as ONNX operations on raw columns; None where operations can't do it."""
        return None

    def show(self, row: Mapping[str, Any]) -> Shown:
        """Say what a person should see of a row as runs keep it (typed cells of all columns, pictures as files)."""
        return Shown.of(row, self.types)


@dataclass(frozen=True)
class Shown:
    """What a page draws of one row: picture files, texts in full, and the other columns as short words, each by name."""

    fields: Mapping[str, str]
    texts: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, row: Mapping[str, Any], types: Mapping[str, ColumnType]) -> Shown:
        """Show columns of free text in full, and those of pictures; every other column but for files is a field."""
        texts = {name: str(row[name]) for name, c in types.items() if c.kind == "text" and isinstance(row[name], str)}
        pictures = {name: row[name] for name, c in types.items() if c.kind == "picture"}
        rest = {name: v for name, v in row.items() if name not in texts and not isinstance(v, bytes)}
        return cls({name: _short(v) for name, v in rest.items()}, texts, pictures)


def _short(value: Any) -> str:
    if pd.isna(value):
        return "–"
    if isinstance(value, datetime):
        return written.moment(value)
    return written.number(value, 6) if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class HeldOut:
    """Training rows of which some are held out: what a view that has seen targets needs to forget them.

    `frame` holds the feature columns of all rows of the file; `train`, `validation` their positions in it;
    y_N and groups_N belong to the training rows, `held` (N,) bool says which of them are held out. `made`: rows that were made of
    held-out rows and are read after them.
    """

    frame: pd.DataFrame
    train: Array
    validation: Array
    y: Array
    groups: Array | None
    held: Array
    parts: Mapping[Split, Array]
    made: pd.DataFrame | None = None


# facts: fits=function(types) -> None when the columns can be read so, else why not, in words; foresee=function(profile)
# -> InputSpec before anything is encoded; version=number raised when encoded values change; example=InputSpec for laws; reads=what
# it reads, in words
VIEWS: Registry[type[View]] = Registry("view", "kd_core.data.views")


@dataclass(frozen=True)
class Viewed:
    """All parts of a dataset as one view gives them, with the view that can read further rows.

    `names`: the most bytes of names of category values, where that made the view shorter than its kind.
    Shape: per part (N, *spec.shape); an estimator's view may give sparse rows.
    """

    spec: InputSpec
    parts: Mapping[Split, Any]
    view: View | None = None
    problems: tuple[Problem, ...] = ()
    names: int | None = None

    @property
    def reading(self) -> str:
        """Name the way to read by which a dataset gives it again."""
        return reading(self.spec.kind, self.names)


def reading(kind: str, names: int | None) -> str:
    """Name a way to read: a view, with at most so many bytes of names of category values. Example: `columns:14000`."""
    return kind if names is None else f"{kind}:{names}"


def choose_view(entry: Entry[Any], offered: Iterable[str], wanted: str | None = None) -> str:
    """Choose the view that a registered part reads: the wanted one, or the first of those it takes that is offered.

    Errors: SpecError with code `other_view`.
    """
    takes: tuple[str, ...] = entry.facts.get("takes", (TABLE,)) if wanted is None else (wanted,)
    known = tuple(offered)
    found = next((kind for kind in takes if kind in known), None)
    if found is None:
        raise SpecError(
            "'{name}' reads {takes}; these rows can be read as {offered}.",
            "Choose another one.",
            "other_view",
            name=entry.name,
            takes=" or ".join(map(view_title, takes)),
            offered=", ".join(map(view_title, known)) or "nothing",
        )
    return found


class Views:
    """The ways in which a dataset can be read, each encoded when it is first asked for.

    `shortened`: makes of a view one that holds at most so many bytes of names; without it, names are never left out.
    """

    def __init__(
        self, makers: Mapping[str, Callable[[], Viewed]], shortened: Callable[[Viewed, int], Viewed] | None = None
    ) -> None:
        self._makers, self._made, self._shortened = dict(makers), dict[str, Viewed](), shortened
        self._making = threading.Lock()

    @classmethod
    def of_table(cls, parts: Mapping[Split, Array]) -> Views:
        """Take rows that are features already. Shape: (N, F) float32 each."""
        train = parts["train"]
        made = Viewed(InputSpec(TABLE, tuple(train.shape[1:]), str(train.dtype)), dict(parts))
        return cls({TABLE: lambda: made})

    @property
    def kinds(self) -> tuple[str, ...]:
        """Name the ways to read."""
        return tuple(self._makers)

    @property
    def read(self) -> tuple[str, ...]:
        """Name the ways in which somebody has read them."""
        return tuple(self._made)

    def get(self, kind: str) -> Viewed:
        """Return a view of all parts, by its kind or a `reading`. Errors: DataError `no_view` where the columns can't be read so."""
        whole, _, names = kind.partition(":")
        if names and kind not in self._makers:
            return self._short(whole, int(names))
        if kind not in self._makers:
            raise DataError(
                "The rows of this dataset can't be read as {kind}.",
                "They can be read as: {known}.",
                "no_view",
                kind=kind,
                known=", ".join(self._makers),
            )
        with self._making:  # two threads may ask at once
            if kind not in self._made:
                self._made[kind] = self._makers[kind]()
            return self._made[kind]

    def forget(self, reading: str) -> None:
        """Free the memory of a way to read; it is encoded anew when it is asked for again."""
        with self._making:
            self._made.pop(reading, None)

    def _short(self, kind: str, names: int) -> Viewed:
        whole, name = self.get(kind), reading(kind, names)
        if self._shortened is None:
            return whole
        with self._making:
            if name not in self._made:
                self._made[name] = self._shortened(whole, names)
            return self._made[name]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """List what was found while encoding so far."""
        return tuple(p for made in self._made.values() for p in made.problems)


def rows_without(viewed: Viewed, held: HeldOut) -> tuple[Any, Any, Any]:
    """Return the other training rows, the validation rows and the held-out ones, none knowing a held-out target."""
    told = None if viewed.view is None else viewed.view.without(held)
    if told is not None:
        return told
    train = viewed.parts["train"]
    x_held = train[held.held]
    if held.made is not None:
        assert viewed.view is not None
        made = viewed.view.encode(held.made)
        x_held = _after(x_held, made, viewed.spec.sparse)
    return train[~held.held], viewed.parts["validation"], x_held


def _after(rows: Any, more: Any, sparse: bool) -> Any:
    """Put rows after rows."""
    if not sparse:
        return np.concatenate([rows, more])
    from scipy.sparse import vstack  # not needed where nothing is sparse, and slow to import

    return vstack([rows, more], format="csr")
