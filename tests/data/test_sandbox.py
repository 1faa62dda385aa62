"""A limited child answers, refuses in words, and never takes the caller down."""

import pytest

from kd_core.data import sandbox
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
