"""A plain model has one time in a result, however often it was measured."""

from __future__ import annotations

from kd_core.runs.store.timed_once import timed_once


def beside(name, p50, size=4687):
    times = {"latency_ms": {"whole": {"1": {"p50": p50}}}} if p50 is not None else {}
    return {"reference": {"best": {"name": name, "bytes": size, **times}}}


def times(result):
    return [s["reference"]["best"].get("latency_ms", {}).get("whole", {}).get("1", {}).get("p50") for s in result]


def test_the_same_file_has_its_shortest_reading_everywhere_and_another_keeps_its_own():
    found = {"students": [beside("trees", 0.021), beside("trees", 0.045), beside("trees", 0.03, 9000)]}
    assert times(timed_once(found)["students"]) == [0.021, 0.021, 0.03]


def test_results_without_plain_models_or_times_are_read_as_they_are():
    bare = [{}, {"reference": None}, {"reference": {"best": None}}, beside("trees", None)]
    assert timed_once({"students": list(bare)})["students"] == bare
