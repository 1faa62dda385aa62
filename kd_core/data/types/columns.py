"""Column names made unique and non-empty, with every change reported."""

from __future__ import annotations

import re
from collections import Counter

import pandas as pd

from kd_core.data.types.cells import looks_like_number
from kd_core.errors import Problem, Says

_UNNAMED = re.compile(r"\s*|Unnamed: \d+")

_NUMBERS_AS_NAMES = Says(
    "header_looks_like_data",
    "warning",
    "Every column name is a number ({some}): the header row may be missing.",
    "Add a first line with column names.",
)
_UNNAMED_COLUMNS = Says(
    "unnamed_columns",
    "warning",
    "{count} {count:column without a name was|columns without a name were} called {some}.",
    "Name them in the file, or drop them.",
)
_DUPLICATES = Says(
    "duplicate_columns",
    "warning",
    "{count} {count:column name occurs|column names occur} more than once: {some}. Later ones were numbered.",
    "Rename them in the file, or drop the copies.",
)
_INDEX = Says(
    "index_column",
    "warning",
    "The unnamed column {place} ('{column}') only counts the rows.",
    "Drop it: a row number says nothing about new rows.",
)


def name_columns(header: tuple[str, ...], *, compared: bool = False) -> tuple[list[str], list[Problem]]:
    """Strip names, name the unnamed, and number the duplicates.

    `compared`: the first row was compared with the rows below, so that a doubt about it has been said.
    """
    problems: list[Problem] = []
    names = [cell.replace("﻿", "").strip() for cell in header]
    if header and not compared and all(map(looks_like_number, header)):
        problems.append(_NUMBERS_AS_NAMES.problem(count=len(names), some=", ".join(names[:5])))
    unnamed = [i for i, name in enumerate(names) if not name]
    for i in unnamed:
        names[i] = f"column_{i + 1}"
    if unnamed:
        listed = ", ".join(names[i] for i in unnamed[:5])
        problems.append(_UNNAMED_COLUMNS.problem(count=len(unnamed), some=listed, columns=[names[i] for i in unnamed]))
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        taken, seen = set(names), Counter[str]()
        for i, name in enumerate(names):
            seen[name] += 1
            number = seen[name]
            if number > 1:
                while (new := f"{name} ({number})") in taken:
                    number += 1
                taken.add(new)
                names[i] = new
        problems.append(_DUPLICATES.problem(count=len(repeated), some=", ".join(repeated[:10]), columns=repeated))
    return names, problems


def find_index_column(frame: pd.DataFrame, header: tuple[str, ...]) -> list[Problem]:
    """Report an unnamed column that only counts the rows. `header` is as written in the file."""
    problems = []
    for i, cell in enumerate(header):
        if not _UNNAMED.fullmatch(cell):
            continue
        numbers = pd.to_numeric(frame.iloc[:, i], errors="coerce")
        if len(numbers) > 1 and bool((numbers.diff().iloc[1:] == 1).all()):
            name = str(frame.columns[i])
            problems.append(_INDEX.problem(name, 1, place=i + 1))
    return problems
