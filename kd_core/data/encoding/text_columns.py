"""Columns of free text, before and after a file is understood, and the views that read nothing else."""

from __future__ import annotations

import unicodedata
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from kd_core.data.table import Profile
from kd_core.data.types.base import ColumnType
from kd_core.data.types.raw_rows import Rows
from kd_core.data.types.row_reader import RowReader
from kd_core.data.view import Array, View


def text_columns(types: Mapping[str, ColumnType]) -> tuple[str, ...]:
    """Name the columns of free text."""
    return tuple(name for name, column in types.items() if column.kind == "text")


def why_no_texts(types: Mapping[str, ColumnType]) -> str | None:
    """Say why columns can't be read as texts, or None."""
    return None if text_columns(types) else "needs a column of free text"


def count_texts(profile: Profile) -> int:
    """Count the columns of free text that may be learned from."""
    return sum(c.used and c.name != profile.target and c.kind == "text" for c in profile.columns)


class TextsView(View):
    """A view of columns of free text, each row's joined by a space. Legend: N rows."""

    def __init__(self, types: Mapping[str, ColumnType], task: str, seed: int) -> None:
        super().__init__({name: types[name] for name in text_columns(types)}, task, seed)
        self._reader = RowReader(self.types)

    @abstractmethod
    def encode_texts(self, texts: Sequence[str]) -> Array:
        """Turn texts into numbers. Shape: N texts -> (N, *spec.shape)."""

    def encode(self, frame: pd.DataFrame, own: Mapping[str, Array] | None = None) -> Array:
        """Turn rows, raw or typed, into numbers. Shape: (N, *spec.shape)."""
        return self.encode_texts(self.texts(frame))

    def texts(self, frame: pd.DataFrame) -> list[str]:
        """Join each row's texts; a missing one is empty. Shape: (N, columns) -> N texts."""
        columns = [frame[name].fillna("").astype("object").to_numpy() for name in self.types]
        return [" ".join(parts) for parts in zip(*columns, strict=True)]

    def read(self, rows: Rows) -> tuple[Array, tuple[str, ...]]:
        """Encode rows from outside. Errors: as `RowReader.read`."""
        if type(rows) is dict and (text := self._plain(rows)) is not None:
            return self.encode_texts([text]), ()
        given, said = self._reader.read(rows)
        columns = [given[name][:, 0].tolist() for name in self.types]
        texts = [" ".join(parts) for parts in zip(*columns, strict=True)]
        return (self.encode_texts(texts) if texts else np.zeros((0, *self.spec.shape), self.spec.dtype)), said

    def _plain(self, row: dict[str, Any]) -> str | None:
        """Read one row as `coerce` does, punctuation of any script included; None where a cell is anything but an ordinary text."""
        if len(row) != len(self.types):
            return None
        found = []
        for name, column in self.types.items():
            cell = row.get(name)
            if type(cell) is not str or column.spelling or not cell.isprintable():  # these have no white space but " "
                return None
            text = unicodedata.normalize("NFC", cell.strip(" "))
            found.append("" if text in column.missing else text)
        return " ".join(found)
