"""Compare: a student that was made smaller stands there as such, and the student it came from once."""

from __future__ import annotations

import json

import pytest

from pages.ui.compare import naming
from pages.ui.result import comparison
from tests.pages.fixtures import done_run, make_run, result, store
from tests.pages.screen import jobs, open_page, words  # noqa: F401
from tests.runs.view.compressed_block import compressed


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


def smaller(first="first", **more):
    found = {**result(task="multiclass"), "compressed": compressed(run=first, **more)}
    found["artifacts"] = {k: v for k, v in found["artifacts"].items() if k != "model"}
    return make_run("done", ("tiny",), found, task="multiclass", name="smaller")


def entries(*ids):
    runs = store()
    return naming.apart(comparison.once([e for i in ids for e in comparison.entries(runs.get(i), runs.folder(i))]))


def test_the_chosen_smaller_student_stands_with_its_own_numbers_and_the_unchanged_one_once():
    first = done_run("multiclass")
    ids = [first, smaller(first), smaller(first)]
    found = entries(*ids)
    assert [e.id for e in found] == [f"{first}:0", f"{ids[1]}:smaller", f"{ids[2]}:smaller"]
    drawn = comparison.points(found, "accuracy", "size")
    assert [p["arm"] for p in drawn].count("student") == [p["arm"] for p in drawn].count("baseline") == 1
    small = next(p for p in drawn if p["id"] == f"{ids[1]}:smaller")
    assert (small["arm"], small["x"], small["y"]) == ("compressed", 14_336, 0.9265) and small["low"] < 0.9265
    assert comparison.cost(found[1].student, "latency") == 0.03
    own = comparison.candidate(found[1], "accuracy")
    assert own.value == 0.9265 and own.costs["size"] == 14_336 and "against the student it was made from" in own.against
    alone = entries(ids[2], ids[1])  # without the first run its student stands once, too
    assert [e.id for e in alone] == [f"{ids[2]}:0", f"{ids[2]}:smaller", f"{ids[1]}:smaller"]
    assert [e.smaller for e in entries(smaller(first, best=None))] == [False]  # nothing kept its goals


def test_the_page_draws_the_smaller_student_and_lists_it():
    first = done_run("multiclass")
    at = open_page("compare", runs=f"{first},{smaller(first)}")
    assert not at.exception
    traces = json.loads(at.get("plotly_chart")[0].proto.spec)["data"]
    assert any("14 KB" in str(one.get("customdata")) for one in traces if one["name"] == "Made smaller")
    table = at.dataframe[0].value
    assert list(table["Student"]) == ["tiny", "tiny · halved, taught again, int8"] and list(table["Size"])[1] == "14 KB"
    assert "No smaller student was chosen" not in words(at)
    again = open_page("compare", runs=f"{first},{smaller(first, best=None)}")
    assert list(again.dataframe[0].value["Student"]) == ["tiny"]
    assert "No smaller student was chosen in smaller (" in words(
        again
    )  # a run that was chosen is not left out in silence
    assert table["Distilling"].isna()[1] and "not drawn, because" not in words(at)
