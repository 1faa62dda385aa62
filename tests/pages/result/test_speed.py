"""How many times faster: both times always, a ratio only where the rounds agree."""

import pytest

from pages.ui.arms import table
from pages.ui.result import speed
from pages.ui.words import decision
from tests.pages.fixtures import result


def timed(p50, p95=None):
    return {"onnxruntime": {"1": {"p50": p50, "p95": p95 or p50, "p99": p95 or p50}}}


@pytest.mark.parametrize(
    ("teacher", "student", "words"),
    [
        (7.99, 0.005709, "about 1,500 times faster (7.99 ms → 5.7 µs)"),
        (0.29, 0.0076, "about 30 times faster (0.29 ms → 7.6 µs)"),
        (0.05, 0.02, "about 3 times faster (50 µs → 20 µs)"),
        (0.02, 0.05, "about 3 times slower (20 µs → 50 µs)"),
        (0.02, 0.0204, "about as fast (20 µs → 20 µs)"),
    ],
)
def test_a_ratio_is_said_with_both_times(teacher, student, words):
    assert speed.sentence({"latency_ms": timed(teacher)}, {"latency_ms": timed(student)}) == words


@pytest.mark.parametrize(("teacher", "student"), [((1.0, 2.1), (0.01, 0.011)), ((1.0, 1.1), (0.01, 0.021))])
def test_a_bound_is_told_where_the_slow_end_of_either_is_more_than_twice_its_middle(teacher, student):
    said = speed.sentence({"latency_ms": timed(*teacher)}, {"latency_ms": timed(*student)})
    assert said == "more than 10 times faster, measured unevenly (1.00 ms → 10 µs)"
    note = speed.note({"latency_ms": timed(*teacher)}, {"latency_ms": timed(*student)}, "AMD EPYC")
    assert "the slow end (p95) of either is more than 2 times its middle (p50)" in note


def test_the_same_runtime_is_preferred_and_two_are_named():
    found = result()
    pair = speed.latency_pair(found["teacher"], found["students"][0])
    assert (pair.teacher_runtime, pair.student_runtime) == ("sklearn", "onnxruntime")
    assert "the teacher in scikit-learn, the student in ONNX Runtime, AMD EPYC" in speed.note(
        found["teacher"], found["students"][0], "AMD EPYC"
    )
    found["teacher"]["latency_ms"]["torch"] = {"1": {"p50": 0.4, "p95": 0.5}}
    pair = speed.latency_pair(found["teacher"], found["students"][0])
    assert pair.teacher_runtime == pair.student_runtime == "torch"


def test_a_latency_that_could_not_be_measured_is_left_out():
    found = result()
    found["students"][0]["latency_ms"] = {"onnxruntime": {"reason": "no exporter"}}
    assert speed.latency_pair(found["teacher"], found["students"][0]) is None
    assert speed.sentence(found["teacher"], found["students"][0]) is None


def test_a_ratio_is_told_as_roughly_as_it_is_known():
    told = [speed.step(r) for r in (1.0, 1.06, 1.22, 1.23, 2.6, 6.0, 8.3, 8.4, 9.96, 28, 35, 99.6, 1398, 14_449)]
    assert told == [1, 1, 1, 1.5, 3, 7, 7, 10, 10, 30, 30, 100, 1500, 15_000]
    assert all(abs(speed.step(ratio) / ratio - 1) < 0.3 for ratio in (1 + 0.01 * n for n in range(2000)))


@pytest.mark.parametrize(
    ("teacher", "student", "said"),
    [
        ((2.03, 6.9), (0.054, 0.066), "more than 10 times faster"),  # two runs of one recipe say the same
        ((2.03, 6.9), (0.028, 0.030), "more than 10 times faster"),
        ((2.03, 6.9), (0.004, 0.009), "more than 100 times faster"),
        ((0.5, 0.6), (1.9, 9.0), "more than 2 times slower"),
        ((0.5, 2.0), (1.9, 2.0), "perhaps slower"),
        ((0.5, 0.6), (0.2, 0.6), "perhaps faster"),
        ((0.43, 0.9), (0.22, 0.3), "perhaps faster"),
        ((0.34, 0.9), (0.30, 0.4), "about as fast"),
    ],
)
def test_of_times_that_scatter_a_bound_is_told_in_the_decision_and_the_table_alike(teacher, student, said):
    pair = speed.latency_pair({"latency_ms": timed(*teacher)}, {"latency_ms": timed(*student)})
    assert pair is not None and not pair.steady
    assert speed.told(pair) == f"{said}, measured unevenly"
    assert str(speed.uneven(pair)).startswith("Measured unevenly") and speed.uneven(None) is None


def test_a_headline_a_table_and_a_sentence_say_the_same_speed():
    found = result(plain="level")
    one = found["students"][0]
    best = one["reference"]["best"]
    found["teacher"]["latency_ms"] = {"whole": {"1": {"p50": 0.092, "p95": 0.1}}}
    one["latency_ms"] = {"whole": {"1": {"p50": 0.055, "p95": 0.06}}}
    best["latency_ms"] = {
        "whole": {"1": {"p50": 0.052, "p95": 0.2}}
    }  # the plain model's times scatter: so do all of that hour
    for standing in ("level", "ahead"):
        best["word"] = standing
        for said in (
            decision.of(found, 0),
            speed.sentence(found["teacher"], one),
            table.comparison_frame(found, 0).to_string(),
        ):
            assert "perhaps faster, measured unevenly" in said and "times faster" not in said
    best["latency_ms"]["whole"]["1"]["p95"] = 0.06
    best["word"] = "level"
    assert "about 2 times faster" in decision.of(found, 0) and "about 1.5 times faster" in speed.sentence(
        found["teacher"], one
    )
    one["arch"] = best["arch"] = {"name": "linear", "settings": {}}
    best["bytes"] = one["deployed"]["bytes"]  # one model, timed twice: its time is told once
    assert "about 1.5 times faster" in decision.of(found, 0)
    times = table.comparison_frame(found, 0).loc["Latency p50, raw row to answer"]
    assert times["Best plain model"] == times["Student"] == "55 µs"
