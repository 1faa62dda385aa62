"""A column that says to which part each row belongs: the official split of a published set."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.types.base import TypedColumn

PARTS: tuple[frozenset[str], ...] = (  # by the part's number: training, validation, test
    frozenset({"train", "training"}),
    frozenset({"val", "vali", "valid", "validation", "dev"}),
    frozenset({"test", "testing"}),
)
PART = "split_part"  # the column that readers of several files make
_NUMBERS = {word: number for number, words in enumerate(PARTS) for word in words}


def part_number(word: str) -> int | None:
    """Number the part that a word names, None for any other word."""
    return _NUMBERS.get(word.strip().casefold())


def are_parts(names: Collection[str]) -> bool:
    """Say whether all names are of parts, training and test rows among them; each part once."""
    numbers = [part_number(name) for name in names]
    return {0, 2} <= set(numbers) and None not in numbers and len(set(numbers)) == len(numbers)


def parts_of(values: pd.Series) -> npt.NDArray[np.int8]:
    """Number the parts; -1 for any other word and for a missing cell. Shape: (N,) -> (N,)."""
    codes, words = pd.factorize(values.astype("str").str.strip().str.casefold())
    numbers = np.array([_NUMBERS.get(str(word), -1) for word in words] + [-1], np.int8)
    found: npt.NDArray[np.int8] = numbers[codes]
    return found


def count_parts(values: pd.Series) -> tuple[int, int, int]:
    """Count the rows of training, validation and test that a column gives."""
    parts = parts_of(values)
    train, validation, test = (int((parts == number).sum()) for number in range(len(PARTS)))
    return train, validation, test


def given_part(typed: Mapping[str, TypedColumn], taken: Collection[str | None]) -> str | None:
    """Find the column whose every value names a part, training and test among them; None where there is none, or several."""
    found = [
        name
        for name, c in typed.items()
        if name not in taken
        and c.kind in ("category", "boolean", "id")
        and 2 <= c.distinct <= len(PARTS)
        and are_parts([str(v) for v in c.values.dropna().unique()])
    ]
    return found[0] if len(found) == 1 else None
