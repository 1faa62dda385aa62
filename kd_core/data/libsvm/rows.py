"""Rows of LibSVM text, `label [qid:n] index:value ...`, with all that can be wrong in them named.

A value that is not written is 0. Legend: N rows, K values that are written.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from kd_core import limits
from kd_core.errors import DataError, Problem, Says

Array = npt.NDArray[Any]
LINE_BYTES = 10 * limits.CELL_BYTES  # 2,000 features take about 60 KB
_NUMBER = rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_ROW = re.compile(
    rb"\A" + _NUMBER + rb"(?:[ \t]+qid:\d+)?(?:[ \t]+-?\d+:(?:" + _NUMBER + rb"|[+-]?(?:nan|inf)))*[ \t]*(?:#.*)?\Z",
    re.IGNORECASE,
)
_PAIR = re.compile(rb"\s-?\d+:")
_LOOKED_AT = 20  # lines

_NOT_KNOWN = Says(
    "libsvm_nan",
    "warning",
    "{count:,} {count:value|values} in {name} {count:is|are} written as nan, line {line:,} first: {count:it is a missing value|they are missing values}, while a value that is left out is 0.",
    "Nothing to do if that is meant.",
)


def looks_like_libsvm(head: bytes, whole: bool = False) -> bool:
    """Say whether a file's beginning is LibSVM text: every line a number and pairs of index and value. `whole`: there is no more of it."""
    lines = head.removeprefix(b"\xef\xbb\xbf").splitlines()
    if not whole and len(lines) > 1:
        lines = lines[:-1]  # cut somewhere
    elif not whole and lines:
        lines = [lines[0].rpartition(b" ")[0]]
    kept = [line.strip() for line in lines[:_LOOKED_AT] if line.strip() and not line.lstrip().startswith(b"#")]
    return bool(kept) and bool(_PAIR.search(kept[0])) and all(_ROW.match(line) for line in kept)


@dataclass(frozen=True)
class Sparse:
    """Rows as written. `label_N`; `query_N` or None; `row_K`, `index_K`, `value_K` the values in their order."""

    label_N: Array
    query_N: Array | None
    row_K: Array
    index_K: Array
    value_K: Array
    problems: tuple[Problem, ...] = ()


def rows_of(file: IO[bytes], name: str) -> Sparse:
    """Read the rows of a file. Errors: DataError `libsvm_row`, `libsvm_index`, `libsvm_twice`, `libsvm_qid`, `too_many_rows`, `too_many_cells`."""
    labels: list[float] = []
    queries: list[int] = []
    counts: list[int] = []
    flat = array("d")
    written: list[int] = []  # the line of each row
    for number, line in lines_of(file, name):
        text = line.partition(b"#")[0].decode("latin-1").removeprefix("\xef\xbb\xbf").strip()
        if not text:
            continue
        label, _, rest = text.partition(" ") if "\t" not in text else text.replace("\t", " ").partition(" ")
        rest = rest.strip()
        try:
            labels.append(float(label))
            if rest.startswith("qid:"):
                query, _, rest = rest[4:].partition(" ")
                queries.append(int(query))
            pairs = [float(part) for part in rest.replace(":", " ").split()]
        except ValueError:
            raise _bad_row(name, number, text) from None
        if len(pairs) != 2 * rest.count(":"):
            raise _bad_row(name, number, text)
        if queries and len(queries) < len(labels):  # this row has none, or it is the first that has one
            raise _lacks_query(name, number if len(queries) == len(written) else written[0])
        counts.append(len(pairs) // 2)
        flat.extend(pairs)
        written.append(number)
        if len(labels) > limits.ROWS:
            raise _too_much("too_many_rows", name, limits.ROWS, "rows")
        if len(flat) > 2 * limits.CELLS:
            raise _too_much("too_many_cells", name, limits.CELLS, "values")
    at = np.array(written, dtype=np.int64)
    row = np.repeat(np.arange(len(counts)), counts)
    both = np.frombuffer(flat, dtype=np.float64).reshape(-1, 2) if flat else np.zeros((0, 2))
    index = _indices(both[:, 0], at[row], name)
    _check_twice(row, index, at, name)
    given, value = np.array(labels), both[:, 1]
    endless = [*np.flatnonzero(np.isinf(given)).tolist(), *row[np.isinf(value)].tolist()]
    if endless:
        raise DataError(
            "Line {line:,} of {name} holds a value without end (inf).",
            "Write a number there, or nan where it is not known.",
            "libsvm_infinite",
            name=name,
            line=int(at[min(endless)]),
        )
    lost = row[np.isnan(value)]
    said = (_NOT_KNOWN.problem(count=len(lost), name=name, line=int(at[lost[0]])),) if len(lost) else ()
    return Sparse(given, np.array(queries) if queries else None, row, index, value, said)


def lines_of(file: IO[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """Number the lines. Errors: DataError `libsvm_row` for one that is too long."""
    number = 0
    while line := file.readline(LINE_BYTES + 1):
        number += 1
        if len(line) > LINE_BYTES:
            raise _bad_row(name, number, line[:60].decode("latin-1"))
        yield number, line


def _indices(index: Array, line: Array, name: str) -> Array:
    """Check the numbers of features. Shape: (K,) float64 -> (K,) int64."""
    known = np.isfinite(index)
    bad = ~known | (index < 0) | (np.where(known, index, 0) != np.floor(np.where(known, index, 0)))
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise DataError(
            "Line {line:,} of {name} has a feature number {index:g}; features are numbered by whole numbers from 0 or 1.",
            "Mend the line, or export the file again.",
            "libsvm_index",
            name=name,
            line=int(line[first]),
            index=float(index[first]),
        )
    if len(index) and index.max() > limits.COLUMNS:
        first = int(np.argmax(index > limits.COLUMNS))
        raise DataError(
            "Line {line:,} of {name} has the feature number {index:,}; {limit:,} is the highest that is read, as every feature becomes a column.",
            "Leave out features, or give a table of fewer columns. Word counts are better given as text.",
            "libsvm_index",
            name=name,
            line=int(line[first]),
            index=int(index[first]),
            limit=limits.COLUMNS,
        )
    return index.astype(np.int64)


def _check_twice(row: Array, index: Array, at: Array, name: str) -> None:
    order = np.lexsort((index, row))
    same = (np.diff(row[order]) == 0) & (np.diff(index[order]) == 0)
    if same.any():
        first = order[int(np.flatnonzero(same)[0])]
        raise DataError(
            "Line {line:,} of {name} gives feature {index:,} twice.",
            "Keep one of the values.",
            "libsvm_twice",
            name=name,
            line=int(at[row[first]]),
            index=int(index[first]),
        )


def _bad_row(name: str, line: int, text: str) -> DataError:
    return DataError(
        "Line {line:,} of {name} is no row of LibSVM text: {text!r}.",
        "A row is a label and pairs: 2 qid:1 1:0.5 7:3. Mend the line, or export the file again.",
        "libsvm_row",
        name=name,
        line=line,
        text=text[:60],
    )


def _lacks_query(name: str, line: int) -> DataError:
    return DataError(
        "Line {line:,} of {name} has no qid, other lines have one.",
        "Give every row its query, or none.",
        "libsvm_qid",
        name=name,
        line=line,
    )


def _too_much(code: str, name: str, limit: int, what: str) -> DataError:
    return DataError(
        "{name} holds more than {limit:,} {what}, the most that are read.",
        "Take a sample of the queries.",
        code,
        name=name,
        limit=limit,
        what=what,
    )
