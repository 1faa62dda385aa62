"""Column names made unique and non-empty, with every change reported."""

from __future__ import annotations

import re
from collections import Counter

import pandas as pd

from kd_core.data.cells import looks_like_number
from kd_core.errors import Problem

_UNNAMED = re.compile(r"\s*|Unnamed: \d+")


def name_columns(header: tuple[str, ...], *, compared: bool = False) -> tuple[list[str], list[Problem]]:
    """Strip names, name the unnamed, and number the duplicates.

    `compared`: the first row was compared with the rows below, so that a doubt about it has been said.
    """
    problems: list[Problem] = []
    names = [cell.replace("﻿", "").strip() for cell in header]
    if header and not compared and all(map(looks_like_number, header)):
        problems.append(
            Problem(
                "warning",
                "header_looks_like_data",
                f"Every column name is a number ({', '.join(names[:5])}): the header row may be missing.",
                "Add a first line with column names.",
                count=len(names),
            )
        )
    unnamed = [i for i, name in enumerate(names) if not name]
    for i in unnamed:
        names[i] = f"column_{i + 1}"
    if unnamed:
        listed = ", ".join(names[i] for i in unnamed[:5])
        problems.append(
            Problem(
                "warning",
                "unnamed_columns",
                f"{len(unnamed)} column(s) without a name were called {listed}.",
                "Name them in the file, or drop them.",
                count=len(unnamed),
                values={"columns": [names[i] for i in unnamed]},
            )
        )
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
        problems.append(
            Problem(
                "warning",
                "duplicate_columns",
                f"{len(repeated)} column name(s) occur more than once: {', '.join(repeated[:10])}. Later ones were numbered.",
                "Rename them in the file, or drop the copies.",
                count=len(repeated),
                values={"columns": repeated},
            )
        )
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
            problems.append(
                Problem(
                    "warning",
                    "index_column",
                    f"The unnamed column {i + 1} ('{name}') only counts the rows.",
                    "Drop it: a row number says nothing about new rows.",
                    column=name,
                    count=1,
                )
            )
    return problems
