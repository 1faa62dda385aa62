"""Whether the first row of a table holds the names of its columns, or is a row like the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from kd_core.data.types.cells import kind_of
from kd_core.errors import DataError, Problem, Says

if TYPE_CHECKING:  # the spreadsheet reader's child process does without pydantic
    from kd_core.specs import ReadSpec

_TYPED = ("number", "date")
_MOSTLY = 0.9  # share of the cells below that must be of one kind for a first cell of another kind to stand out
_LIKE, _UNLIKE = "like the cells below", "text above numbers or dates"
_LONGEST_NAME = 60  # characters; longer first cells read like values

_DOUBTFUL = Says(
    "header_doubtful",
    "warning",
    "The first row ({shown}) was read as names, but may be a row of values: {why}.",
    "Say what it holds.",
)
_MISSING = Says(
    "header_missing",
    "warning",
    "The first row ({shown}) holds values, not names.",
    "Paste the names, or say that the first row holds them.",
)
_CALLED_ONE = "The column is called column 1."
_CALLED = "The columns are called column 1 to column {count}."
_DOUBT = "One cell speaks against it: {why}."


@dataclass(frozen=True)
class Header:
    """What the first row is taken for. `sure` is false where a person should look; `why` says what spoke for it."""

    names: bool
    sure: bool
    why: str
    first: tuple[str, ...] = ()

    @property
    def decided(self) -> str:
        return "yes" if self.names else "no"


def decide(first: Sequence[str], rows: Sequence[Sequence[str]], asked: str = "auto") -> Header:
    """Compare the first row with the rows below, unless the person has said what it is.

    A first cell that is text above numbers or dates is a name; a number above numbers is a value. Where all columns
    are text, no first cell can differ in kind: the row is then read as names, and a doubt is said.
    Shape: C cells, and sample rows of C cells each (rows of another width are not looked at).
    Example: `decide(["39", "State-gov"], [["50", "Private"], ["38", "Private"]]).names` is False.
    """
    first = tuple(cell.strip() for cell in first)
    if asked != "auto":
        return Header(asked == "yes", True, "set by hand", first)
    below = [row for row in rows if len(row) == len(first)]
    kinds = [kind_of(cell) for cell in first]
    if len(below) < 2:
        numbers = all(kind == "number" for kind in kinds)
        why = "every first cell is a number" if numbers else "too few rows to compare with"
        return Header(True, not numbers, why, first)
    typed = {i: kind for i in range(len(first)) if (kind := _kind_below(below, i)) is not None}
    unlike = [i for i, kind in typed.items() if kinds[i] == "text"]
    alike = [i for i, kind in typed.items() if kinds[i] == kind]
    repeated = [
        i for i in range(len(first)) if i not in typed and first[i] and any(r[i].strip() == first[i] for r in below)
    ]
    if alike and not _numbered([first[i] for i in alike], below, alike):
        if not unlike:
            return Header(False, True, _told(first, alike, _LIKE), first)
        names = 3 * len(unlike) >= len(alike)
        return Header(names, False, _told(first, *((alike, _LIKE) if names else (unlike, _UNLIKE))), first)
    if alike:
        return Header(True, bool(unlike), "the first cells are numbers that count up, or years", first)
    if len(unlike) > len(repeated):
        return Header(True, True, _told(first, unlike, _UNLIKE), first)
    if repeated:
        return Header(True, False, _told(first, repeated, "found among the values below"), first)
    gaps = [i for i in typed if kinds[i] == "missing" and first[i]]
    if gaps and not unlike:
        return Header(True, False, _told(first, gaps, "a word for missing"), first)
    twice = [name for name, times in Counter(c for c in first if c).items() if times > 1]
    if twice:
        return Header(True, False, f"{twice[0][:_LONGEST_NAME]} occurs twice in it", first)
    long = [cell for cell in first if len(cell) > _LONGEST_NAME or cell.count(" ") >= 5]
    if long:
        return Header(True, False, f"a cell reads like a sentence ({long[0][:_LONGEST_NAME]})", first)
    return Header(True, True, "nothing in it reads like a value", first)


def named(header: Header, read: ReadSpec) -> tuple[str, ...]:
    """Return the names to use: those given by hand, those of the first row, or `column 1`, `column 2`, ...

    Errors: DataError with code `names_count`.
    """
    if read.names:
        if len(read.names) != len(header.first):
            raise DataError(
                "{given} {given:name was|names were} given for {columns} {columns:column|columns}.",
                "Give one name for each column, in their order.",
                "names_count",
                given=len(read.names),
                columns=len(header.first),
            )
        return read.names
    return header.first if header.names else tuple(f"column {i + 1}" for i in range(len(header.first)))


def told(header: Header, read: ReadSpec) -> list[Problem]:
    """Say what the first row was taken for, where that is not plain or was not set by hand."""
    shown = ", ".join(cell[:30] for cell in header.first[:3]) + (", …" if len(header.first) > 3 else "")
    if header.names and not header.sure:
        return [_DOUBTFUL.problem(count=len(header.first), shown=shown, names=header.names, why=header.why)]
    if header.names or read.header != "auto":
        return []
    called = [] if read.names else [_CALLED if len(header.first) > 1 else _CALLED_ONE]
    doubt = [] if header.sure else [_DOUBT]
    says = replace(_MISSING, message=" ".join([_MISSING.message, *called, *doubt]))
    return [says.problem(count=len(header.first), shown=shown, names=header.names, why=header.why)]


def read_names(text: str) -> tuple[str, ...]:
    """Read pasted names: one a line (what follows a colon, as in `age: continuous.`, is left out), or with separators.

    Example: `read_names("age, sex, income")` and `read_names("age\\nsex\\nincome")` are the same three names.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 1:
        parts = [line.split(":", 1)[0] for line in lines]
    else:
        mark = next((m for m in ("\t", ",", ";", "|") if m in text), None)
        parts = text.split(mark) if mark else [text]
    return tuple(name for part in parts if (name := part.strip().strip("\"',;").strip()))


def _kind_below(rows: Sequence[Sequence[str]], at: int) -> str | None:
    """Name the kind of a column that is (nearly) all numbers or all dates."""
    kinds = Counter(kind_of(row[at]) for row in rows)
    kinds.pop("missing", None)
    if not kinds:
        return None
    kind, times = kinds.most_common(1)[0]
    return kind if kind in _TYPED and times >= _MOSTLY * sum(kinds.values()) else None


def _numbered(cells: Sequence[str], rows: Sequence[Sequence[str]], columns: Sequence[int]) -> bool:
    """Say whether numbers above numbers are names all the same: 0, 1, 2, ... or years above values that are none."""
    if not all(cell.isdigit() and len(cell) < 10 for cell in cells):
        return False
    values = [int(cell) for cell in cells]
    steps = {b - a for a, b in pairwise(values)}
    if len(values) >= 3 and len(steps) == 1 and steps != {0}:
        return True
    years = all(1900 <= v <= 2100 for v in values) and len(set(values)) == len(values)
    return years and not any(_is_year(row[i]) for row in rows for i in columns)


def _is_year(cell: str) -> bool:
    cell = cell.strip()
    return cell.isdigit() and 1900 <= int(cell[:9]) <= 2100


def _told(first: Sequence[str], where: Sequence[int], what: str) -> str:
    some = ", ".join(first[i][:30] for i in where[:3]) + (", …" if len(where) > 3 else "")
    return f"{some} {'is' if len(where) == 1 else 'are'} {what}"
