"""What a Keras model reads of a row: numbers of columns in an order, or the ids of words."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from kd_core.data.dataset import Array, Dataset
from kd_core.data.encoding.text_block import texts_of
from kd_core.errors import DataError
from kd_core.teachers.keras.layers import Shape

Side = Literal["start", "end"]
VOCABULARY_BYTES = 64 * 2**20
_UNKNOWN = ("[UNK]", "<OOV>", "<oov>", "<UNK>", "<unk>", "[OOV]", "OOV", "UNK")
_FLAGS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
# keras.preprocessing.text.Tokenizer puts a space in the place of these; TextVectorization takes all punctuation away
_SPACED = str.maketrans(dict.fromkeys('!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n', " "))
_TAKEN = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True)
class Numbers:
    """Columns in the order of the file's inputs. `shift`, `scale`: taken away and divided by; `words`: ids are below it."""

    columns: tuple[str, ...]
    shift: tuple[float, ...]
    scale: tuple[float, ...]
    shape: tuple[int, ...]
    words: int | None = None

    def read(self, rows: pd.DataFrame) -> tuple[Array, Array]:
        """Read rows; return those without a gap and which they are. Shape: N rows -> (M, ...) and (N,) bool."""
        x = np.stack([number_column(rows, name) for name in self.columns], axis=1)
        whole: Array = np.isfinite(x).all(axis=1)
        x = (x[whole] - np.asarray(self.shift)) / np.asarray(self.scale)
        if self.words is None:
            return x.astype(np.float32).reshape(len(x), *self.shape), whole
        return _ids(x, self.words, ", ".join(self.columns[:5])), whole


@dataclass(frozen=True)
class Words:
    """The ids of the words of a text column. `numbers`: of words, None where the column holds ids itself; `length`: ids a row.

    `taken`: punctuation is taken away, as TextVectorization does, instead of being a space. `fill`, `cut`: the side where short texts
    are filled up with 0, and where long ones are cut.
    """

    column: str
    numbers: Mapping[str, int] | None
    length: int
    words: int
    taken: bool
    fill: Side
    cut: Side

    def read(self, rows: pd.DataFrame) -> tuple[Array, Array]:
        """Read rows. Shape: N rows -> (N, T) and (N,) bool."""
        if self.column not in rows:
            raise unknown_column([self.column], rows)
        x = np.zeros((len(rows), self.length), np.int64)
        for at, text in enumerate(texts_of(rows[self.column])):
            ids = self._listed(text, at) if self.numbers is None else self._named(text, self.numbers)
            ids = (ids[: self.length] if self.cut == "end" else ids[-self.length :]) if ids else ids
            x[at, slice(len(ids)) if self.fill == "end" else slice(self.length - len(ids), None)] = ids
        return x, np.ones(len(rows), dtype=bool)

    def _named(self, text: str, numbers: Mapping[str, int]) -> list[int]:
        unknown = next((numbers[mark] for mark in _UNKNOWN if mark in numbers), None)
        words = text.lower().translate(_TAKEN if self.taken else _SPACED).split()
        found = [numbers.get(word, unknown) for word in words]
        return [
            n if n < self.words else unknown or 0
            for n in found
            if n is not None and (n < self.words or unknown is not None)
        ]

    def _listed(self, text: str, at: int) -> list[int]:
        parts = re.split(r"[\s,;\[\]]+", text.strip(" []\t"))
        if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts if part):
            raise DataError(
                "Row {row:,} of '{column}' is no list of ids: {text!r}.",
                "Choose the vocabulary (vocabulary) by which words become ids, or a column with ids such as '12 5 8'.",
                "keras_ids",
                row=at + 1,
                column=self.column,
                text=text[:40],
            )
        found = np.asarray([float(part) for part in parts if part])
        return [int(n) for n in _ids(found, self.words, self.column)]


Rows = Numbers | Words


def reader(spec: Any, dataset: Dataset, shape: Shape, words: int | None, vocabulary: Path | None) -> Rows:
    """Find out how rows are fed. Errors: DataError `keras_columns`, `keras_text`, `keras_ids`, `keras_vocabulary`, `unknown_column`."""
    if spec.text:
        return _words(spec, dataset, shape, words, vocabulary)
    width = int(np.prod([n for n in shape if n is not None])) if None not in shape else None
    rows = dataset.rows
    known = [c for c in dataset.columns if c in rows and pd.api.types.is_numeric_dtype(rows[c].dtype)]
    columns = tuple(spec.columns) or tuple(known)
    if width is None and words is not None and len(shape) == 1:
        width = len(columns)
    if lacking := [name for name in columns if name not in rows]:
        raise unknown_column(lacking, rows)
    if dataset.spec.target in columns:
        raise DataError(
            "The target '{target}' can't be one of the columns that the model reads.",
            "Take it out of columns.",
            "keras_columns",
            target=dataset.spec.target,
        )
    if len(columns) != width or not columns:
        raise DataError(
            "The Keras model reads {width} numbers a row; {count} {count:column is|columns are} given: {columns}.",
            "Name its inputs in their order (columns){text}.",
            "keras_columns",
            width="any number of" if width is None else width,
            count=len(columns),
            columns=", ".join(columns[:20]) or "none",
            text="; or the column of text (text) that it reads" if words is not None else "",
        )
    parts = np.stack([number_column(rows, name) for name in columns], axis=1)[dataset.train.row_ids]
    shift, scale = np.zeros(width), np.ones(width)
    if spec.numbers == "standardised" and words is None:
        shift = np.nanmean(np.where(np.isfinite(parts), parts, np.nan), axis=0)
        scale = np.nanstd(np.where(np.isfinite(parts), parts, np.nan), axis=0)
        scale[~(scale > 0)] = 1
    sizes = (width,) if words is not None else tuple(n for n in shape if n is not None)
    return Numbers(columns, tuple(shift.tolist()), tuple(scale.tolist()), sizes, words)


def _words(spec: Any, dataset: Dataset, shape: Shape, words: int | None, vocabulary: Path | None) -> Words:
    if words is None or len(shape) != 1:
        raise DataError(
            "The Keras model reads numbers, not ids of words, so it can't read the text column '{text}'.",
            "Name the columns with its numbers in their order (columns), and leave text empty.",
            "keras_text",
            text=spec.text,
        )
    if spec.text not in dataset.rows or spec.text == dataset.spec.target:
        raise unknown_column([spec.text], dataset.rows)
    length = spec.steps or shape[0]
    if length is None or (shape[0] is not None and length != shape[0]):
        raise DataError(
            "The Keras model reads {wanted} ids a row; the length given is {length}.",
            "Say how many ids its texts were filled up to (steps).",
            "keras_text",
            wanted="any number of" if shape[0] is None else shape[0],
            length=length or "none",
        )
    numbers, taken = (None, False) if vocabulary is None else read_vocabulary(vocabulary)
    return Words(spec.text, numbers, length, words, taken, spec.fill, spec.cut)


def read_vocabulary(path: Path) -> tuple[dict[str, int], bool]:
    """Read words and their ids, and say whether TextVectorization wrote them (a list) or Tokenizer (words with ids).

    Errors: DataError `keras_vocabulary`.
    """
    try:
        if path.stat().st_size > VOCABULARY_BYTES:
            raise ValueError(f"it has more than {VOCABULARY_BYTES // 2**20} MB")
        text = path.read_text("utf-8-sig")
        listed = text[:1] not in ("{", "[") or text.startswith("[UNK]")  # one word a line; the first may be empty
        found = text.split("\n") if listed else json.loads(text)
        if (
            isinstance(found, dict) and isinstance(found.get("config"), dict) and "word_index" in found["config"]
        ):  # Tokenizer.to_json()
            found = json.loads(found["config"]["word_index"])
        if isinstance(found, list) and all(isinstance(word, str) for word in found):
            return {word.strip("\r"): at for at, word in reversed(list(enumerate(found)))}, True
        if isinstance(found, dict) and found and all(type(n) is int and 0 <= n < 2**31 for n in found.values()):
            return found, False
        raise ValueError("it is neither a list of words nor words with their ids")
    except (ValueError, RecursionError, TypeError) as error:
        raise DataError(
            "The vocabulary can't be read: {why}.",
            "Write it where the model came from: of a Tokenizer json.dump(tokenizer.word_index, open('words.json', 'w')), of "
            "TextVectorization open('words.txt', 'w').write('\\n'.join(layer.get_vocabulary())).",
            "keras_vocabulary",
            why=str(error)[:150],
        ) from None


def number_column(rows: pd.DataFrame, name: str) -> Array:
    """Read a column as numbers, yes and no as 1 and 0; what is missing is NaN. Shape: N rows -> (N,) float64. Errors: DataError `keras_columns`."""
    if name not in rows:
        raise unknown_column([name], rows)
    column = rows[name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    found = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    if np.isnan(found).any():
        flags = column.astype("string").str.strip().str.lower().map(_FLAGS).to_numpy(np.float64, na_value=np.nan)
        found = np.where(np.isnan(found), flags, found)
    odd = np.isnan(found) & column.notna().to_numpy(bool)
    if odd.any():
        raise DataError(
            "The column '{name}' holds no numbers: {count:,} {count:value is a word|values are words}, the first is {value!r}.",
            "Name columns of numbers; a category must stand as the numbers that the model was trained with.",
            "keras_columns",
            name=name,
            count=int(odd.sum()),
            value=str(column[odd].iloc[0])[:40],
        )
    return found


def _ids(x: Array, words: int, what: str) -> Array:
    odd = (x != np.round(x)) | (x < 0) | (x >= words)
    if odd.any():
        raise DataError(
            "{count:,} {count:value|values} of {what} {count:is no id|are no ids}: the first is {value:g}; the model knows whole numbers from 0 to {most:,}.",
            "Check the columns, their order, and that the vocabulary is the model's own.",
            "keras_ids",
            count=int(odd.sum()),
            what=what,
            value=float(x[odd][0]),
            most=words - 1,
        )
    return x.astype(np.int64)


def unknown_column(names: Sequence[str], rows: pd.DataFrame) -> DataError:
    """Make the error for columns that the data does not have."""
    return DataError(
        "The data has no column {missing} that the Keras model could read.",
        "Columns: {known}.",
        "unknown_column",
        missing=", ".join(map(repr, names[:10])),
        known=", ".join(map(str, list(rows.columns)[:50])),
    )
