"""Small odd files as people have them: right the first time, or one visible question."""

from __future__ import annotations

import pytest

from kd_core.data.preparation import profile_source
from kd_core.specs import ReadSpec
from tests.data.odd_files import ODD, Odd

QUESTIONS = {
    "header_doubtful",
    "target_unsure",
    "small_class",
    "several_sheets",
    "header_missing",
}  # what a person is asked


@pytest.fixture
def understood(tmp_path):
    def profile(odd: Odd, **more):
        path = tmp_path / odd.name
        path.write_bytes(odd.content())
        read = {**odd.read, **more.pop("read", {})} if more.pop("answered", False) else {}
        return profile_source(str(path), ReadSpec(**read), **more)

    return profile


def blocking(found):
    return [str(p) for p in found.problems if p.severity == "error"]


@pytest.mark.slow
@pytest.mark.parametrize("case", ODD)
def test_an_odd_file_is_right_the_first_time_or_asks_one_visible_question(case, understood):
    odd = ODD[case]
    found = understood(odd)
    visible = {p.code for p in found.problems if p.severity != "note"}
    if odd.asked is None:
        assert not visible & QUESTIONS and not blocking(found)
    else:
        assert odd.asked in visible
        if odd.asked == "header_missing":  # said with its switch, and read rightly already
            assert found.num_rows == odd.rows
        found = understood(odd, answered=True, **odd.chosen)
        assert not blocking(found)
    names = [c.name for c in found.columns]
    if odd.read.get("names"):
        assert names == list(odd.read["names"])
        found = understood(odd)
        names = [c.name for c in found.columns]
    assert (names, found.num_rows, found.target, found.task) == (odd.columns, odd.rows, odd.target, odd.task)
    for name, kind in odd.kinds.items():
        assert found.column(name).kind == kind
    for name, cells in odd.missing.items():
        assert found.column(name).missing == cells
    padded = [c for c in found.frame.columns if found.column(c).kind in ("category", "boolean")]
    for name in padded:
        assert all(str(v) == str(v).strip() for v in found.frame[name].dropna().unique())


def test_there_are_twenty():
    assert len(ODD) >= 20


def test_the_grade_can_be_read_both_ways(understood):
    found = understood(ODD["wine, a grade"], target="quality")
    assert found.readings == ("multiclass", "regression")
    assert understood(ODD["wine, a grade"], target="quality", task="regression").task == "regression"


def test_what_is_known_only_afterwards_is_named(understood):
    found = understood(ODD["an answer known only afterwards"])
    assert {"leak_later", "leak_column"} & {p.code for p in found.problems if p.column == "duration"}
