"""Which picture of an archive a cell names: the names of members are looked up, no path is ever opened."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt
import pandas as pd

from kd_core.data.pictures.unpacking import PICTURE

ABSENT, EMPTY, OUTSIDE = -1, -2, -3  # no such member, or several; an empty cell; a path that leads out of the archive
_SHARE = 0.5  # of a column's cells that name a member, so that it is one of pictures
_DIFFERENT = 0.9  # of them differ, where names have no ending: a column of numbers may look the same


@dataclass(frozen=True)
class Named:
    """A column whose cells name pictures. Shape: `at` (N,) position of the member, or `ABSENT`, `EMPTY`, `OUTSIDE`."""

    column: str
    at: npt.NDArray[np.int64]

    def count(self, what: int) -> int:
        """Count the cells of `ABSENT`, `EMPTY` or `OUTSIDE`."""
        return int((self.at == what).sum())


def named_pictures(frame: pd.DataFrame, members: Collection[str]) -> list[Named]:
    """Find the columns that name members: by their whole path or the end of it, upper and lower case alike.

    Where no column does so with endings, the one of most matches without (`1234` for `images/1234.jpg`).
    """
    known = list(members)
    for names in (_ends(known), _ends([PICTURE.sub("", m) for m in known])):
        found = []
        for column in frame.columns:
            if not isinstance(frame[column].dtype, pd.StringDtype):
                continue
            at = np.array([_place(cell, names) for cell in frame[column]], np.int64)
            if (at >= 0).any() and (at >= 0).sum() >= _SHARE * (at != EMPTY).sum():
                found.append(Named(str(column), at))
        if found:
            break
    else:
        return []
    if any(PICTURE.search(str(cell)) for cell in frame[found[0].column].dropna().head(100)):
        return found
    sure = [one for one in found if len(np.unique(one.at[one.at >= 0])) >= _DIFFERENT * (one.at >= 0).sum()]
    return sorted(sure, key=lambda one: -int((one.at >= 0).sum()))[:1]


def mentioned(cells: Collection[str], members: Collection[str], whole: bool) -> bool:
    """Say whether any text is the name of a member, with its ending (`whole`), or else without."""
    names = {PurePosixPath(m).name.casefold() for m in members}
    if not whole:
        names = {PICTURE.sub("", name) for name in names}
    return not names.isdisjoint(_key(cell).rpartition("/")[2] for cell in cells)


def leads_out(name: str) -> bool:
    """Say whether a path leaves the folder that it stands in."""
    slashed = name.strip().replace("\\", "/")
    return slashed.startswith("/") or "\x00" in name or bool(re.match(r"[A-Za-z]:", name)) or ".." in slashed.split("/")


def _place(cell: object, names: dict[str, int]) -> int:
    if not isinstance(cell, str) or not cell.strip():
        return EMPTY
    return OUTSIDE if leads_out(cell) else names.get(_key(cell), ABSENT)


def _key(name: str) -> str:
    return "/".join(p for p in name.strip().replace("\\", "/").split("/") if p not in ("", ".")).casefold()


def _ends(members: list[str]) -> dict[str, int]:
    """Number members by every end of their paths; an end of several is none, but a whole path always counts."""
    found: dict[str, int] = {}
    for at, member in enumerate(members):
        for end in _tails(_key(member)):
            found[end] = ABSENT if end in found else at
    return found | {_key(member): at for at, member in enumerate(members)}


def _tails(key: str) -> Iterator[str]:
    parts = key.split("/")
    for start in range(len(parts)):
        yield "/".join(parts[start:])
