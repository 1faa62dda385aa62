"""The columns that a model from outside reads: found by name, and written as pandas would have read them from a file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from kd_core.data.dataset import Array, Dataset
from kd_core.data.input_spec import TABLE
from kd_core.data.types.base import ColumnType
from kd_core.data.types.raw_rows import typed_rows
from kd_core.errors import DataError

Form = Literal["as_it_is", "truth", "numbers", "words"]
_TRUTH = {"True": True, "False": False}
_GAPS = re.compile(r"\s")  # LightGBM writes a low line for each in the names of features


def find_columns(names: Sequence[str], dataset: Dataset, chosen: Sequence[str] = ()) -> list[str]:
    """Find the columns of the data by the names of a model's features, or take the chosen ones, in their order.

    Errors: DataError `model_columns` for what the data lacks, `model_reads_target`.
    """
    known = [str(name) for name in dataset.rows.columns]
    plain = {_GAPS.sub("_", name): name for name in known}
    wanted = list(chosen) or list(names)
    found = {name: name if name in known else plain.get(_GAPS.sub("_", name)) for name in wanted}
    missing = [name for name, column in found.items() if column is None]
    if dataset.spec.target in found.values() or dataset.spec.target in missing:
        raise DataError(
            "The model reads the column {column}, which is what is predicted.",
            "Take a model that was trained without it.",
            "model_reads_target",
            column=dataset.spec.target,
        )
    if missing:
        raise DataError(
            "The model reads {count} {count:column|columns} that the data lacks: {missing}. Columns of the data: {known}.",
            "Rename them, or name the columns in the order of the model's features (columns).",
            "model_columns",
            count=len(missing),
            missing=", ".join(missing[:20]),
            known=", ".join(name for name in known[:50] if name != dataset.spec.target),
        )
    return [str(found[name]) for name in wanted]


def form_of(column: pd.Series) -> Form:
    """Tell how `pandas.read_csv` would have read a typed column: numbers and times, True and False, labels that are numbers, words."""
    if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype):
        return "as_it_is"
    labels = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else column.dropna().unique()
    words = {str(label) for label in labels}
    if words and words <= _TRUTH.keys():
        return "truth"
    return "numbers" if words and all(_number(word) is not None for word in words) else "words"


@dataclass(frozen=True)
class Reads:
    """Columns of the data that a model reads, in its order, each in the form that all rows of the data have. Legend: N rows, F columns."""

    columns: tuple[str, ...]
    forms: tuple[Form, ...]
    types: Mapping[str, ColumnType] | None

    @classmethod
    def of(cls, dataset: Dataset, columns: Sequence[str]) -> Reads:
        """Look at the columns of a dataset."""
        view = dataset.view(TABLE).view if TABLE in dataset.views.kinds else None
        return cls(tuple(columns), tuple(form_of(dataset.rows[c]) for c in columns), view.types if view else None)

    def typed(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Read rows from outside as those of the data were read; columns that students do not read stay as they are."""
        known = {name: self.types[name] for name in self.columns if self.types and name in self.types}
        read, _, _ = typed_rows(rows[list(known)], known)
        return rows[list(self.columns)].assign(**{name: read[name].to_numpy() for name in known})

    def frame(self, rows: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
        """Take typed rows under the names that a model knows. Shape: N rows -> (N, F), NaN where a value is missing."""
        return pd.DataFrame(
            {n: _written(rows[c], form) for n, c, form in zip(names, self.columns, self.forms, strict=True)}
        )

    def numbers(self, rows: pd.DataFrame, codes: Mapping[int, Sequence[Any]] | None = None) -> Array:
        """Read typed rows as numbers; of a column with `codes`, by its place, the place of a value among them.

        Shape: N rows -> (N, F) float64, NaN where one is missing. Errors: DataError `model_words` for a column of words.
        """
        found = np.empty((len(rows), len(self.columns)))
        for place, (name, form) in enumerate(zip(self.columns, self.forms, strict=True)):
            values = _written(rows[name], form)
            if codes and place in codes:
                known = {_plain(value): code for code, value in enumerate(codes[place])}
                found[:, place] = [known.get(_plain(value), np.nan) for value in values.tolist()]
            elif form == "words" or pd.api.types.is_datetime64_any_dtype(values.dtype):
                raise DataError(
                    "The model reads {column} as a number; the data holds '{value}' there.",
                    "Give the data a column with the number that the model was trained on.",
                    "model_words",
                    column=name,
                    value=str(values.dropna().iloc[0])[:60] if values.notna().any() else "nothing",
                )
            else:
                found[:, place] = values.astype(np.float64).to_numpy()
        return found


def _written(column: pd.Series, form: Form) -> pd.Series:
    if form == "as_it_is":
        return column
    held = column.astype("object").where(column.notna(), np.nan)
    if form == "words":
        return held
    labels = held.dropna().unique()
    known = {label: _TRUTH.get(str(label)) if form == "truth" else _number(str(label)) for label in labels}
    read = held.map(known)
    if form == "numbers":
        return read.astype(np.float64)
    return read if read.isna().any() else read.astype(bool)


def _number(word: str) -> float | None:
    try:
        found = float(word)
    except ValueError:
        return None
    return found if np.isfinite(found) else None


def _plain(value: Any) -> str:
    """Write 7, 7.0 and '7' alike."""
    text = str(value)
    return text.removesuffix(".0")
