"""The table view: every column made into numbers, side by side; fitted on the training rows only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.encoding.blocks import BooleanBlock, CategoryBlock, DateBlock, NumberBlock
from kd_core.data.encoding.saved import pack, unpack
from kd_core.data.encoding.text_block import TextBlock
from kd_core.data.encoding.vocabulary import Vocabulary, commonest, name_bytes, vocabulary
from kd_core.data.input_spec import InputSpec, table_inputs
from kd_core.data.pictures.column import picture_columns
from kd_core.data.table import Profile
from kd_core.data.types.base import ColumnType
from kd_core.data.types.typed_column import coerce
from kd_core.data.view import VIEWS, Array, HeldOut, View
from kd_core.errors import DataError
from kd_core.limits import ONE_HOT_CATEGORIES
from kd_core.task import task_of

if TYPE_CHECKING:  # onnx takes a quarter of a second to import
    from kd_core.data.encoding.raw_graph import RawGraph

VERSION = 2  # raise it when encoded values change, so that cached teacher answers are not reused
TEXT_VERSION = 3  # the same for tables with a text column alone
TEXT_COMPONENTS = 32
OWN_VIEWS = ("picture", "items")  # kinds of columns that are read by views of their own
_CALENDAR = (2, 7, 7, 7, 7, 24, 24)  # values that year, month, weekday and hour of a date take as features
TARGET_ENCODED_CLASSES = 12  # with more classes, one column per class and category column costs more than it tells


class Block(Protocol):
    """Encodes one column."""

    names: tuple[str, ...]

    def fit(self, values: pd.Series, y: Array, task: str, groups: Array | None) -> Array | None:
        """Learn from the training rows; return their own encoding where it is not that of other rows."""
        ...

    def transform(self, values: pd.Series) -> Array: ...

    def draw(self, graph: RawGraph, column: ColumnType) -> None:
        """Add the column to a graph that does what `transform` does."""
        ...


def fits(types: Mapping[str, ColumnType]) -> str | None:
    """A table can be read from any column that is left, but for pictures and histories."""
    if any(c.kind not in OWN_VIEWS for c in types.values()):
        return None
    return (
        "needs a column that is no picture" if picture_columns(types) else "needs a column that is no history of items"
    )


def foresee(profile: Profile) -> InputSpec | None:
    """Estimate the width; None where there is nothing but pictures."""
    width = count_features(profile)
    return table_inputs(width) if width or not any(c.kind in OWN_VIEWS for c in profile.columns) else None


@VIEWS.register(
    "table",
    title="Table",
    fits=fits,
    foresee=foresee,
    version=VERSION,
    reads="all columns as numbers",
    example=table_inputs(7),
)
class TableView(View):
    """Encodes the columns of a table; what it knows comes from the training rows alone.

    Numbers are scaled (heavy tails by rank), with a flag where they are missing; categories are one-hot, or the
    target's average when there are many; dates become calendar parts; long text becomes 32 topic values.

    Shape: a frame of N raw or typed rows -> (N, F) float32, C-contiguous, finite.
    """

    made_of: ClassVar[Mapping[str, Callable[[str], Block]]] = {
        "number": NumberBlock,
        "boolean": BooleanBlock,
        "datetime": DateBlock,
    }

    def __init__(self, types: Mapping[str, ColumnType], task: str, seed: int = 0) -> None:
        super().__init__({name: column for name, column in types.items() if column.kind not in OWN_VIEWS}, task, seed)
        self.blocks: dict[str, Block] = {name: self._block(name, column) for name, column in self.types.items()}
        self.feature_names: tuple[str, ...] = ()
        self.names: Vocabulary | None = None

    def _block(self, name: str, column: ColumnType) -> Block:
        if made := self.made_of.get(column.kind):
            return made(name)
        if column.kind == "text":
            return TextBlock(name, TEXT_COMPONENTS, self.seed)
        return CategoryBlock(name, ONE_HOT_CATEGORIES, TARGET_ENCODED_CLASSES, self.seed)

    def fit_transform(self, frame: pd.DataFrame, y: Array, groups: Array | None = None) -> npt.NDArray[np.float32]:
        """Fit on the training rows and encode them; averages of the target are cross-fitted, whole groups at a time.

        Shape: y (N,) class indices or target values; groups (N,) or None.
        """
        return self.encode(frame, self.fit(frame, y, groups))

    def fit(self, frame: pd.DataFrame, y: Array, groups: Array | None = None) -> dict[str, npt.NDArray[np.float32]]:
        """Fit on the training rows; return what `encode` would not give for them: cross-fitted averages, by column.

        `encode(frame, own)` then equals `fit_transform`, for any part of the rows.
        """
        found = {}
        for name, block in self.blocks.items():
            own = block.fit(_typed(frame[name], self.types[name]), y, self.task, groups)
            if own is not None:
                found[name] = own.astype(np.float32, copy=False)
        self._name_features()
        return found

    @property
    def spec(self) -> InputSpec:
        """Describe the encoded rows; known after fitting."""
        return table_inputs(len(self.feature_names))

    def shortened(self, most: int) -> TableView | None:
        """Make a view, to be fitted, that knows the commonest names alone; None where all of this fitted one take at most so many bytes."""
        labels = {n: b.labels(self.types[n]) for n, b in self.blocks.items() if isinstance(b, CategoryBlock)}
        labels = {name: found for name, found in labels.items() if found}
        kept = commonest(labels, most)
        names = vocabulary(labels, kept)
        if names.bytes == names.of_bytes:
            return None
        made = type(self)(self.types, self.task, self.seed)
        made._keep(names)
        return made

    def _keep(self, names: Vocabulary) -> None:
        self.names = names
        for name, (kept, _) in names.columns.items():
            if isinstance(block := self.blocks.get(name), CategoryBlock):
                block.keep(kept)

    def learned(self) -> dict[str, bytes]:
        """Return every column's scales, quantiles, categories, averages, terms, topics and names."""
        return pack("table", {name: vars(block) for name, block in self.blocks.items()})

    def relearn(self, files: Mapping[str, bytes]) -> None:
        """Give every column its own again."""
        for name, learned in unpack("table", files).items():
            if len(learned.get("knots", ())) and "heights" not in learned:
                raise DataError(
                    "Column {column} was scaled as an earlier version did it; this one would read it otherwise.",
                    "Run it again: open the run and press Clone.",
                    "earlier_encoding",
                    column=name,
                )
            vars(self.blocks[name]).update(learned)
        self._name_features()

    def without(self, rows: HeldOut) -> tuple[Array, Array, Array] | None:
        """Encode the other training rows, the validation rows and the held-out rows without the held-out rows' targets.

        A category encoded by the target's average carries the targets of all training rows, so those columns are
        encoded anew from the other rows alone (and stand last); all other columns never saw a target.
        Shape: features of (N - H, G), (V, G) and (H, G), made rows after the held-out ones; None where no column saw a target.
        """
        spans = self.target_columns()
        if not spans:
            return None
        rest = ~rows.held
        y, task = rows.y[rest], self.task
        if task_of(task).has_classes:  # a rare class may lie in the held-out rows; two of three left are a yes or no
            left, y = np.unique(y, return_inverse=True)
            task = task_of(task).settled(len(left))
        fresh = type(self)({name: self.types[name] for name in spans}, task, self.seed)
        if self.names is not None:
            fresh._keep(self.names)
        frame = rows.frame[list(spans)]
        made = fresh.fit_transform(frame.iloc[rows.train[rest]], y, None if rows.groups is None else rows.groups[rest])
        old = [at for span in spans.values() for at in span]
        train, validation = rows.parts["train"], rows.parts["validation"]

        def joined(x: Array, new: Array) -> Array:
            return np.concatenate([np.delete(x, old, axis=1), new], axis=1)

        held = joined(train[rows.held], fresh.encode(frame.iloc[rows.train[rows.held]]))
        if rows.made is not None:
            held = np.concatenate([held, joined(self.encode(rows.made), fresh.encode(rows.made[list(spans)]))])
        return joined(train[rest], made), joined(validation, fresh.encode(frame.iloc[rows.validation])), held

    def graph(self) -> RawGraph:
        """Draw the encoding as ONNX operations on raw columns."""
        from kd_core.data.encoding.raw_graph import RawGraph

        drawn = RawGraph(self.types)
        for name, block in self.blocks.items():
            block.draw(drawn, self.types[name])
        return drawn

    def _name_features(self) -> None:
        self.feature_names = tuple(n for block in self.blocks.values() for n in block.names)

    def target_columns(self) -> dict[str, range]:
        """Name the columns encoded by the target's average, each with the positions of its features."""
        found, at = {}, 0
        for name, block in self.blocks.items():
            if isinstance(block, CategoryBlock) and block.averages.size:
                found[name] = range(at, at + len(block.names))
            at += len(block.names)
        return found

    def encode(self, frame: pd.DataFrame, own: Mapping[str, Array] | None = None) -> npt.NDArray[np.float32]:
        """Encode other rows, raw or typed; unknown categories and unreadable cells count as such, nothing fails.

        `own`: encodings that training rows have of their own (from `fit`), of the same rows as the frame.
        """
        x = np.empty((len(frame), sum(len(block.names) for block in self.blocks.values())), np.float32)
        at = 0
        for name, block in self.blocks.items():
            given = (own or {}).get(name)
            x[:, at : at + len(block.names)] = self.encode_column(name, frame) if given is None else given
            at += len(block.names)
        return x

    def encode_column(self, name: str, frame: pd.DataFrame) -> Array:
        """Encode one column of rows. Shape: (N, features of it)."""
        return self.blocks[name].transform(_typed(frame[name], self.types[name]))


def _typed(values: pd.Series, column: ColumnType) -> pd.Series:
    ready = isinstance(values.dtype, pd.CategoricalDtype) and column.kind in ("category", "boolean")
    return values if ready else coerce(values, column)


def count_features(profile: Profile) -> int:
    """Estimate how many features the encoder will make: exact but for rare categories, dates and text.

    Example: 3 numbers without gaps and one category of 5 values give 8.
    """
    return sum(len(values) + hole for values, hole in foreseen_features(profile))


def count_name_bytes(profile: Profile) -> int:
    """Count the bytes that names of category values take in a file, of columns with so many that they stand in tables.

    All rows are counted, not those of training alone, so it is somewhat more than will be.
    """
    found = 0
    for column in profile.columns:
        own = column.used and column.name != profile.target and column.kind == "category"
        if own and column.distinct > ONE_HOT_CATEGORIES:
            found += name_bytes(map(str, profile.frame[column.name].dropna().unique()))
    return found


def foreseen_features(profile: Profile) -> Iterator[tuple[list[int], bool]]:
    """Say column by column how many values each of its features will take, and whether those have holes: an estimate."""
    averages = task_of(profile.task).averages(len(profile.classes)) if profile.task else 1
    for column in profile.columns:
        if not column.used or column.name == profile.target or column.kind in OWN_VIEWS:
            continue
        if column.kind in ("number", "boolean"):
            yield [column.distinct], column.missing > 0
        elif column.kind == "datetime":
            yield [column.distinct, *_CALENDAR], column.missing > 0
        elif column.kind == "text":
            yield [profile.num_rows] * (TEXT_COMPONENTS + 1), False
        elif column.distinct <= ONE_HOT_CATEGORIES:
            yield [2] * (column.distinct + (column.missing > 0)), False
        elif averages <= TARGET_ENCODED_CLASSES:
            yield [column.distinct] * (1 + averages), False
        else:
            yield [2] * (ONE_HOT_CATEGORIES + 1) + [column.distinct], False
