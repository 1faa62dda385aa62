"""Errors: what, value, where; several at once; templates that can be translated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kd_core.errors import DataError, KDError, Problem, Says, fill, raise_problems

ROOT = Path(__file__).resolve().parent.parent


def test_an_error_is_one_sentence_with_its_hint_and_keeps_the_template():
    error = KDError("The file is empty ({size} bytes).", "Choose another file.", "empty_file", size=0)
    assert str(error) == "The file is empty (0 bytes). Choose another file."
    assert (error.template, error.values, error.code) == (
        "The file is empty ({size} bytes).",
        {"size": 0},
        "empty_file",
    )


def test_braces_in_a_value_are_kept():
    assert KDError("Column {name}.", "", "x", name="{0}").message == "Column {0}."


def test_one_problem_keeps_its_code_and_hint():
    look, fine = Problem("warning", "a", "Look."), Problem("note", "b", "Fine.")
    raise_problems([look, fine])  # these two never block
    with pytest.raises(DataError) as raised:
        raise_problems([look, Problem("error", "bad_cell", "Bad cell {x}.", "Mend it."), fine])
    assert str(raised.value) == "Bad cell {x}. Mend it."
    assert (raised.value.code, raised.value.hint) == ("bad_cell", "Mend it.")


def test_several_problems_are_named_at_once():
    with pytest.raises(DataError) as raised:
        raise_problems(
            [Problem("error", "a", "First."), Problem("note", "n", "No."), Problem("error", "b", "Second.", "Do.")]
        )
    assert raised.value.message == "2 problems: (1) First. (2) Second. Do."
    assert raised.value.code == "several_problems"


def test_a_problem_keeps_the_templates_and_values_that_it_was_made_of():
    says = Says("odd_cells", "warning", "Column {column}: {count:,} cells look like {some}.", "Look at {some}.")
    made = says.problem("a{b}", 1200, (3, 4), some="{x}", members=["m"])
    assert str(made) == "Column a{b}: 1,200 cells look like {x}. Look at {x}."
    assert (made.severity, made.code, made.column, made.count, made.rows) == (
        "warning",
        "odd_cells",
        "a{b}",
        1200,
        (3, 4),
    )
    assert made.values == {"some": "{x}", "members": ["m"]}
    filled = fill(made.template, column=made.column, count=made.count, **made.values)
    assert (filled, made.hint_template) == (made.message, "Look at {some}.")


def test_an_error_becomes_a_problem_with_its_templates_and_values():
    made = DataError("No {what} in {file}.", "Add {what}.", "none", what="rows", file="a.csv").problem("day")
    assert (made.severity, made.code, made.column, str(made)) == ("error", "none", "day", "No rows in a.csv. Add rows.")
    assert fill(made.template, **made.values) == made.message
    assert fill(made.hint_template, **made.values) == made.hint


def test_words_go_by_their_number():
    said = "{count:,} {count:row is|rows are} left out."
    assert [fill(said, count=n) for n in (0, 1, 2000)] == [
        "0 rows are left out.",
        "1 row is left out.",
        "2,000 rows are left out.",
    ]
    assert fill("{n} {n:seed|seeds}", n="1") == "1 seed"  # a number may be written already


def test_no_message_leaves_the_plural_to_its_reader():
    ours = [p for top in ("kd_core", "pages") for p in (ROOT / top).rglob("*") if p.suffix in (".py", ".toml")]
    found = [
        f"{p.name}: {m}"
        for p in ours
        for m in re.findall(r"(?!if )\b[}\w]+ [a-z ]+[a-z]\(s\)(?= |[.,:;)])", p.read_text("utf-8"))
    ]
    assert not found
