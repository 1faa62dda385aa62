"""How many rows each query has: the `.query` file beside LibSVM text."""

from __future__ import annotations

from typing import IO

import numpy as np

from kd_core.data.libsvm.rows import Array, lines_of
from kd_core.errors import DataError


def query_sizes(file: IO[bytes], name: str, rows: int, rows_name: str) -> Array:
    """Read how many rows each query has, one number a line; together they are all rows. Shape: -> (Q,). Errors: DataError `query_sizes`, `query_sum`."""
    found = []
    for number, line in lines_of(file, name):
        text = line.decode("latin-1").removeprefix("\xef\xbb\xbf").strip()
        if not text:
            continue
        if not text.isdecimal() or not text.isascii() or len(text) > 12 or int(text) == 0:
            raise DataError(
                "Line {line:,} of {name} is {text!r}; each line says how many rows the next query has, 1 or more.",
                "Write one whole number a line.",
                "query_sizes",
                name=name,
                line=number,
                text=text[:40],
            )
        found.append(int(text))
    if sum(found) != rows:
        raise DataError(
            "{name} gives {queries:,} queries with {told:,} rows together; {rows_name} holds {rows:,} rows.",
            "Both files must be of one set: download them again, or write the sizes of the queries in the order of the rows.",
            "query_sum",
            name=name,
            queries=len(found),
            told=sum(found),
            rows_name=rows_name,
            rows=rows,
        )
    return np.array(found, dtype=np.int64)
