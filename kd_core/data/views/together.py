"""The view of everything at once: the table, the texts and the pictures of a row side by side, for networks that join them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.encoding.one_row import OneRow
from kd_core.data.encoding.text_columns import text_columns
from kd_core.data.input_spec import TOGETHER, InputSpec, side_by_side, table_inputs
from kd_core.data.pictures.column import picture_columns
from kd_core.data.table import Profile
from kd_core.data.types.base import ColumnType
from kd_core.data.types.raw_rows import Cells, Rows, columns_of, unused
from kd_core.data.types.row_reader import RowReader
from kd_core.data.view import VIEWS, Array, HeldOut, Split, View
from kd_core.data.views import ngrams, pixels, table

VERSION = 1  # raise it when encoded values change, or when a view that it is made of does
_LEAST = 2  # sorts of columns; of one alone its own view tells as much


def _sorts(types: Mapping[str, ColumnType]) -> dict[str, dict[str, ColumnType]]:
    """Sort columns by the view that reads them; of pictures the first. Sorts without a column are left out."""
    texts, pictures = text_columns(types), picture_columns(types)
    names = {
        "table": [n for n, c in types.items() if c.kind not in ("text", *table.OWN_VIEWS)],
        "ngrams": texts,
        "pixels": pictures[:1],
    }
    return {kind: {n: types[n] for n in some} for kind, some in names.items() if some}


def _fits(types: Mapping[str, ColumnType]) -> str | None:
    return None if len(_sorts(types)) >= _LEAST else "needs two of these: columns of a table, free text, pictures"


def _foresee(profile: Profile) -> InputSpec | None:
    plain = replace(profile, columns=tuple(replace(c, used=c.used and c.kind != "text") for c in profile.columns))
    width = table.count_features(plain)
    told = [table_inputs(width)] if width else []
    told += [spec for view in ("ngrams", "pixels") if (spec := VIEWS.get(view).facts["foresee"](profile))]
    return side_by_side(TOGETHER, told) if len(told) >= _LEAST else None


@VIEWS.register(
    "together",
    title="Table, texts and pictures together",
    fits=_fits,
    foresee=_foresee,
    version=VERSION,
    reads="table, texts and pictures of a row side by side",
    example=side_by_side(
        TOGETHER, [table_inputs(7), *(VIEWS.get(view).facts["example"] for view in ("ngrams", "pixels"))]
    ),
)
class TogetherView(View):
    """Rows of the views `table`, `ngrams` and `pixels`, those that the columns allow, as one row of whole numbers.

    One matrix, so that whatever learns, keeps, maps and exports rows needs to know nothing of it: `InputSpec.parts` says what lies
    where. Shape: N rows -> (N, W) int32.
    """

    def __init__(self, types: Mapping[str, ColumnType], task: str, seed: int) -> None:
        sorts = _sorts(types)
        super().__init__({n: c for some in sorts.values() for n, c in some.items()}, task, seed)
        made: dict[str, Any] = {"table": table.TableView, "ngrams": ngrams.NgramsView, "pixels": pixels.PixelsView}
        self._short: tuple[RowReader, OneRow | None] | None = None  # made of what was learned
        self.views: dict[str, View] = {kind: made[kind](some, task, seed) for kind, some in sorts.items()}

    def fit(self, frame: pd.DataFrame, y: Array, groups: Array | None) -> Mapping[str, Array]:
        """Let each view learn; what training rows have of their own is the table's."""
        own: dict[str, Array] = {}
        self._short = None
        for view in self.views.values():
            own |= view.fit(frame, y, groups)
        return own

    @property
    def spec(self) -> InputSpec:
        """Describe the encoded rows; known after fitting."""
        return side_by_side(TOGETHER, [view.spec for view in self.views.values()])

    def encode(self, frame: pd.DataFrame, own: Mapping[str, Array] | None = None) -> npt.NDArray[np.int32]:
        """Encode rows in each way, and put the numbers side by side."""
        return self._joined([view.encode(frame, own) for view in self.views.values()])

    def _joined(self, encoded: Sequence[Any]) -> npt.NDArray[np.int32]:
        views = self.views.values()
        return np.concatenate([view.spec.pack(x) for view, x in zip(views, encoded, strict=True)], axis=1)

    def read(self, rows: Rows) -> tuple[npt.NDArray[np.int32], tuple[str, ...]]:
        """Read rows from outside, each column as its own view does. Errors: as theirs, and `columns_of`."""
        cells, extra = columns_of(rows, list(self.types))
        if type(rows) is dict:
            read = [self._one(kind, {n: rows[n] for n in view.types}) for kind, view in self.views.items()]
        else:
            read = [view.read(_frame(cells, view.types)) for view in self.views.values()]
        return self._joined([x for x, _ in read]), (*unused(extra), *(one for _, said in read for one in said))

    def _one(self, kind: str, row: dict[str, Any]) -> tuple[Any, tuple[str, ...]]:
        """Read one row, a table's without a data frame: the same bits in a tenth of the time."""
        view = self.views[kind]
        if isinstance(view, table.TableView):
            if self._short is None:
                self._short = RowReader(view.types), OneRow.of(view.blocks, view.types)
            reader, alone = self._short
            if alone is not None and (read := reader.one(row)) is not None:
                return alone.encode(read[0]), read[1]
        return view.read(row)

    def without(self, rows: HeldOut) -> tuple[Any, Any, Any] | None:
        """Encode the table's part anew without the held-out targets; texts and pictures have seen none. Shape: as `View.without`."""
        if "table" not in self.views:
            return None
        view, width = self.views["table"], self.views["table"].spec.packed
        x: dict[Split, Any] = {part: view.spec.unpack(whole[:, :width]) for part, whole in rows.parts.items()}
        told = view.without(replace(rows, parts=x))
        if told is None:
            return None
        train, validation = rows.parts["train"], rows.parts["validation"]
        held = train[rows.held]
        if rows.made is not None:
            held = np.concatenate([held, self.encode(rows.made)])
        packed = [view.spec.pack(part) for part in told]
        parts = zip(packed, (train[~rows.held], validation, held), strict=True)
        rest, seen, left = (np.concatenate([new, whole[:, width:]], axis=1) for new, whole in parts)
        return rest, seen, left

    def first(self, count: int) -> TogetherView:
        """Return this view with the first pieces of words alone."""
        made = type(self)(self.types, self.task, self.seed)
        made.views = {kind: view.first(count) for kind, view in self.views.items()}
        return made

    def learned(self) -> dict[str, bytes]:
        """Return what each view has learned; their files have names of their own."""
        return {name: data for view in self.views.values() for name, data in view.learned().items()}

    def relearn(self, files: Mapping[str, bytes]) -> None:
        """Let each view take over its own."""
        self._short = None
        for view in self.views.values():
            view.relearn(files)


def _frame(cells: Mapping[str, Cells], names: Mapping[str, ColumnType]) -> pd.DataFrame:
    """Put cells back into a frame, as they are."""
    told = {n: cells[n] for n in names}
    return pd.DataFrame({n: c if isinstance(c, pd.Series) else pd.Series(c, dtype="object") for n, c in told.items()})
