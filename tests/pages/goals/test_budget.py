"""A result and Export say whether the model keeps to the goals of its run, and of the person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kd_core.evaluate.intervals.compare import Gain
from pages.ui.compare import standing
from pages.ui.goals import budget, kept
from pages.ui.goals.candidates import Candidate, Goals
from pages.ui.goals.candidates import words as words_of
from pages.ui.result.differences import Written
from tests.pages.fixtures import done_run, result, store
from tests.pages.goals.test_goals import started_with
from tests.pages.screen import jobs, open_page, words  # noqa: F401


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


def test_the_line_says_what_is_used_up_and_whether_the_loss_is_proven():
    found = store().folder(done_run()).result()
    low, high = found["students"][0]["versus_teacher"]["roc_auc"]["ci95"]
    near = 1e-4 - found["students"][0]["versus_teacher"]["roc_auc"]["mean"]
    asked = Goals("roc_auc", 0.9, {"size": 20_480.0, "latency": 1.0}, lost=near)
    said = str(budget.line(found, 0, asked))
    assert said.startswith(":material/info:")  # a tick is for what is sure
    missed = str(budget.line(found, 0, replace(asked, lost=near - 2e-4)))
    assert "Not within your goals: more than " in missed and "lost on the mean, not surely (" in missed
    assert (
        "Within your goals: 1.2 KB of 20 KB; 5 µs of 1.00 ms; " in said
        and "a loss of " in said
        and " at most is not proven (against the teacher " in said
    )
    assert " at most is proven (against the teacher " in str(budget.line(found, 0, replace(asked, lost=-low)))
    other = str(budget.line(found, 0, Goals("accuracy", None, lost=0.01)))
    assert "point of Accuracy" in other and "ROC-AUC" not in said  # whose score stands beside the line
    beyond = str(budget.line(found, 0, replace(asked, lost=-high - 0.001)))
    assert (
        "Not within your goals: " in beyond
        and ": more than " in beyond
        and "Kept: 1.2 KB of 20 KB; 5 µs of 1.00 ms." in beyond
    )
    small = str(budget.line(found, 0, Goals("roc_auc", 0.8, {"size": 1_000.0})))
    assert small.endswith(
        "Not within your goals: too large, 1.2 KB of 1000 B. Kept: ROC-AUC 0.889 on test rows, 0.800 asked."
    )
    asked = Goals("roc_auc", 0.9, {"size": 20_480.0, "latency": 0.003}, lost=near)
    slow = str(budget.line(found, 0, asked))  # one of three is missed, one kept, and one open
    assert "Not within your goals: too slow, 5 µs of 3 µs. Kept: 1.2 KB of 20 KB. Open: " in slow
    assert budget.line(found, 0, Goals("")) is None


def test_a_result_and_export_show_it_for_a_run_that_was_started_with_goals():
    run = done_run()
    asked = {kept.data_of(store().get(run)): Goals("roc_auc", None, {"size": 20_480.0}, own=True)}
    at = open_page("runs", run=run)
    assert not at.exception and "your goals" not in words(at)
    at = open_page("runs", {kept.ASKED: asked}, run=run)
    assert not at.exception and "Within your goals: 1.2 KB of 20 KB." in words(at)
    assert kept.kept("", store().folder(started_with({"bytes": 9, "score": None})).result()).most == {"size": 9.0}


@pytest.mark.parametrize(
    ("own", "most", "told"),
    [
        ({"size": 13_350.0}, {"size": 13_312.0}, "13.04 KB of 13 KB"),
        ({"size": 13_310.0}, {"size": 13_312.0}, "13 KB of 13 KB"),  # within, so nothing contradicts
        ({"size": 1_100.0}, {"size": 1_090.0}, "1.07 KB of 1.06 KB"),
        ({"latency": 12.3}, {"latency": 12.0}, "12.3 ms of 12.0 ms"),
        ({"latency": 0.02034}, {"latency": 0.02}, "20.3 µs of 20 µs"),
        ({"latency": 2.004}, {"latency": 2.0}, "2.004 ms of 2.000 ms"),
    ],
)
def test_a_cost_above_its_limit_is_not_written_like_the_limit(own, most, told):
    (name,) = most
    state, said = budget._cost(own[name], name, most[name])
    assert str(said).endswith(told) and (state == "missed") == str(said).startswith("too ") == (own[name] > most[name])
    asked, one = Goals("roc_auc", None, most), Candidate("a", "a", 0.9, own)
    shown = str(words_of(one, asked))
    assert (told.replace(" of ", ", asked ") in shown) == (own[name] > most[name]) == ("misses" in shown)


def test_a_score_and_an_interval_that_miss_their_limit_are_not_written_like_it():
    found = store().folder(done_run()).result()
    value = found["students"][0]["metrics"]["roc_auc"]["mean"]
    said = str(budget.line(found, 0, Goals("roc_auc", value + 0.0001)))
    assert said.endswith("Not within your goals: ROC-AUC 0.8890 on test rows, 0.8891 asked.")
    low = found["students"][0]["versus_teacher"]["roc_auc"]["ci95"][0]
    said = str(budget.line(found, 0, Goals("roc_auc", None, lost=-low - 0.00002)))
    assert (
        "a loss of 4.017 points at most is not proven (against the teacher −4.019 to −3.38, above 0 is better; 95 %)"
        in said
    )
    said = str(budget.line(found, 0, Goals("roc_auc", None, lost=0.01)))
    assert "more than 1 point lost" in said


def test_it_is_about_the_model_that_the_first_line_says_to_take():
    found = result(plain="level")
    best = found["students"][0]["reference"]["best"]
    best["bytes"], best["latency_ms"] = 700, {"onnxruntime": {"1": {"p50": 0.007, "p95": 0.007}}}
    said = str(budget.line(found, 0, Goals("roc_auc", None, {"size": 1_000.0, "latency": 0.01})))
    assert said.endswith("Within your goals: 700 B of 1000 B; 7 µs of 10 µs.")


def test_no_number_of_a_loss_looks_like_the_limit_that_it_keeps_or_misses():
    found = {"roc_auc": Gain(-0.004, -0.00997, 0.002, None, None, 3)}
    said = standing.against(found, "roc_auc", 0.01)
    assert "−1.0" not in said.replace("−0.997", "") and "−0.997" in said
    assert "−1.0" in standing.against(found, "roc_auc")  # without a limit beside it
    assert Written(True, 2).cell(Gain(-0.01003, None, None, None, None, 1), -0.01) == "−1.003"
    inside = Written(True, 2).interval(Gain(0.0, -0.004996, 0.004996, None, None, 3), beside=(-0.005, 0.005))
    assert "−0.4996" in inside and "+0.4996" in inside
