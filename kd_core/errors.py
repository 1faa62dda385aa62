"""What went wrong, in words a person can act on."""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]


class _Numbered(string.Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        one, both, many = format_spec.partition("|")
        if both:
            return one if str(value) == "1" else many
        return str(super().format_field(value, format_spec))


def fill(template: str, **values: Any) -> str:
    """Fill a template, where a word may go by a number.

    Example:
        >>> fill("{count} {count:row is|rows are} left out.", count=1)
        '1 row is left out.'
    """
    return _Numbered().vformat(template, (), values)


class KDError(Exception):
    """An error that says what happened, with which value and where, and what to do next.

    `message` and `hint` are templates filled with `values`, so that a translated
    template can be filled with the same values. `code` is stable and names the cause.

    Example:
        >>> str(KDError("The file is empty ({size} bytes).", "Choose another file.", "empty_file", size=0))
        'The file is empty (0 bytes). Choose another file.'
    """

    def __init__(self, message: str, hint: str, code: str, **values: Any) -> None:
        self.template, self.hint_template = message, hint
        self.values, self.code = values, code
        self.message = fill(message, **values) if values else message
        self.hint = fill(hint, **values) if values else hint
        super().__init__(self.message, self.hint, self.code)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def problem(self, column: str | None = None) -> Problem:
        """List the error among other findings, as one that blocks; its templates and values go along."""
        given = (self.message, self.hint, column, None, (), self.values, self.template, self.hint_template)
        return Problem("error", self.code, *given)


class DataError(KDError):
    """The uploaded data can't be used as it is."""


class SpecError(KDError):
    """A setting, or a combination of settings, can't work."""


class UnknownName(KDError):
    """A name that no registry entry has."""


class Stopped(Exception):
    """The person asked to stop; what was finished is kept. Not an error."""


@dataclass(frozen=True)
class Problem:
    """One thing found in the data or a spec, with how often and where.

    `rows` holds at most the first 5 row numbers, counted from 1 at the first data row;
    `count` is the full number. Severity `error` blocks, `warning` deserves a look, `note` informs.
    `template` and `hint_template` are there when the problem was made from `Says` or from an error: filled with
    `values`, `column` and `count` they give the message and the hint, in any language.
    """

    severity: Severity
    code: str
    message: str
    hint: str = ""
    column: str | None = None
    count: int | None = None
    rows: tuple[int, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)
    template: str = ""
    hint_template: str = ""

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


@dataclass(frozen=True)
class Says:
    """What a problem says: its code and severity, and templates that its values fill.

    A module keeps these in one place, so that its functions read as logic.

    Example:
        >>> macros = Says("macros", "note", "The workbook holds {count} macros; they were not run.")
        >>> macros.problem(count=2).message
        'The workbook holds 2 macros; they were not run.'
    """

    code: str
    severity: Severity
    message: str
    hint: str = ""

    def problem(
        self, column: str | None = None, count: int | None = None, rows: tuple[int, ...] = (), **values: Any
    ) -> Problem:
        """Make the problem. `rows` as in `Problem`; further values fill the templates or are kept for who reads them."""
        known = {"column": column, "count": count, **values}
        message, hint = fill(self.message, **known), fill(self.hint, **known)
        return Problem(self.severity, self.code, message, hint, column, count, rows, values, self.message, self.hint)


def raise_problems(problems: list[Problem], code: str = "several_problems") -> None:
    """Raise one `DataError` that names every blocking problem at once; do nothing when there is none.

    Errors: DataError whose code is the problem's own when there is exactly one.
    """
    errors = [p for p in problems if p.severity == "error"]
    if not errors:
        return
    if len(errors) == 1:
        raise DataError("{text}", "{advice}", errors[0].code, text=errors[0].message, advice=errors[0].hint)
    listed = " ".join(f"({i}) {p}" for i, p in enumerate(errors, 1))
    raise DataError("{n} problems: {listed}", "Mend them and try again.", code, n=len(errors), listed=listed)
