"""A limited child answers, refuses in words, and never takes the caller down."""

import pytest

from kd_core.data.files import sandbox
from kd_core.errors import DataError


def test_an_answer_comes_back():
    assert sandbox.call("operator:add", [1], ["书"]) == [1, "书"]


def test_a_crash_is_told():
    with pytest.raises(
        DataError, match=r"The file can't be read \(it crashed the parser, signal 11\)\. It may be damaged\."
    ):
        sandbox.call("signal:raise_signal", 11)


def test_the_child_knows_no_secrets(monkeypatch):
    monkeypatch.setenv("KD_SECRET", "token")
    assert sandbox.call("os:getenv", "KD_SECRET") is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("free_gb", "limit_gb", "why"),
    [
        (4, 2, "50% of what is free on this machine"),
        (100, 6, "a fixed limit"),
        (0.5, 1, "little is free on this machine"),
    ],
)
def test_the_memory_limit_follows_what_is_free_and_says_so(monkeypatch, free_gb, limit_gb, why):
    monkeypatch.setattr(sandbox, "free_bytes", lambda: int(free_gb * 2**30))
    assert sandbox.memory_limit() == limit_gb * 2**30
    with pytest.raises(
        DataError,
        match=rf"takes more than {limit_gb * 1024:,} MB of memory, the most that one file gets \({why}\)\. Take a sample",
    ) as error:
        sandbox.call("builtins:bytearray", 7 * 2**30)
    assert error.value.code == "parse_memory"


@pytest.mark.slow
def test_the_libraries_that_read_files_start_under_the_least_limit(monkeypatch, tmp_path):
    import openpyxl

    from kd_core.data.files.reading import read_table

    monkeypatch.setattr(sandbox, "free_bytes", lambda: 0)
    book, path = openpyxl.Workbook(), tmp_path / "t.xlsx"
    for row in (["a", "b"], *([i, "x"] for i in range(100))):
        book.active.append(row)
    book.save(path)
    assert read_table(path).frame.shape == (100, 2)
