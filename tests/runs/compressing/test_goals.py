"""A stage keeps its goals with the whole interval, and what is worse than expected is named."""

from __future__ import annotations

import pytest

from kd_core.requests.compress_spec import CompressSpec
from kd_core.runs.compressing import goals


def asked(**more):
    return CompressSpec(run="first", student="tiny", **more)


def times(p50, rounds=None):
    return {"p50": p50, "rounds": rounds or [p50] * 7}


def stage(**more):
    usual = {
        "id": 1,
        "name": "half",
        "bytes": 900,
        "latency": {"whole": {"1": times(0.01)}},
        "lost": lost(0.2, -0.1, 0.5),
        "agreement": 0.995,
        "agreement_before": 0.995,
    }
    return {**usual, **more}


def lost(mean, low, high):
    return {"mean": mean, "ci95": [low, high]}


@pytest.mark.parametrize(
    ("found", "spec", "keeps"),
    [
        (stage(), asked(), True),
        (stage(lost=lost(0.2, -0.1, 1.0)), asked(), True),
        (stage(lost=lost(0.2, -0.7, 1.1)), asked(), False),
        (stage(lost=lost(0.2, None, None)), asked(), False),
        (stage(lost=None), asked(), True),
        (stage(agreement=0.5, agreement_before=0.5), asked(), True),  # nobody asked for the same answers
        (stage(agreement=0.9), asked(), True),
        (stage(agreement_before=None), asked(), True),
        (stage(), asked(bytes=899), False),
        (stage(), asked(bytes=900), True),
        (stage(bytes=None), asked(bytes=900), False),
        (stage(), asked(microseconds=9.9), False),
        (stage(), asked(microseconds=10.1), True),
        (stage(latency={}), asked(microseconds=10.1), False),
        (stage(lost=lost(2.0, 1.5, 2.5)), asked(most_lost=3), True),
    ],
)
def test_every_goal_that_was_asked_for_is_kept_or_the_stage_does_not_pass(found, spec, keeps):
    assert goals.keeps(found, spec, found["lost"]) is keeps


def codes(found, before=None, spec=None):
    return [one["code"] for one in goals.flags(found, before, spec or asked())]


def test_nothing_is_flagged_where_nothing_is_wrong():
    assert codes(stage(), stage(id=0, bytes=2000)) == []


def test_what_is_wrong_is_named_with_its_values():
    before = stage(id=0, name="student", bytes=800)
    (bigger,) = goals.flags(stage(), before, asked())
    assert bigger == {"code": "bigger", "bytes": 900, "before": 800, "than": "student"}
    sure, open_ = (goals.flags(stage(lost=lost(1.5, low, 2.0)), None, asked())[0] for low in (1.1, 0.5))
    assert (sure["code"], sure["sure"], open_["sure"]) == ("lost", True, False)
    assert codes(stage(lost=lost(0.5, -1.0, 2.0))) == ["unproved_loss"]
    assert codes(stage(lost=lost(0.5, None, None))) == ["unproved_loss"]
    assert codes(stage(agreement=0.9)) == ["unlike"] and codes(stage(agreement=None)) == []
    assert codes(stage(), None, asked(bytes=100, microseconds=1)) == ["above_bytes", "above_microseconds"]


@pytest.mark.parametrize(
    ("rounds", "slower"),
    [
        ([1.1] * 7, True),
        ([1.04] * 7, False),
        ([1.2] * 6 + [0.99], False),
        ([0.9] * 7, False),
        ([1.01] + [1.1] * 6, True),
        ([1.01, 1.1, 1.1], False),
        ([1.06, 1.1, 1.1], True),
    ],
)
def test_slower_is_said_where_every_round_says_so(rounds, slower):
    before = stage(id=0, latency={"whole": {"1": times(1.0)}, "onnxruntime": {"256": times(1.0)}})
    found = stage(latency={"onnxruntime": {"256": times(rounds[0], rounds)}, "whole": {}})
    told = goals.flags(found, before, asked())
    assert [(f["code"], f["runtime"], f["batch"]) for f in told] == ([("slower", "onnxruntime", 256)] if slower else [])


def test_the_smallest_of_some_is_chosen_and_of_equal_ones_the_first():
    stages = [stage(id=i, bytes=b) for i, b in enumerate([50, 30, 20, 20])]
    assert goals.smallest(stages) == 2 and goals.smallest(stages[:2]) == 1 and goals.smallest([]) is None


def test_what_breaks_a_goal_by_the_smallest_share_comes_nearest():
    spec = asked(most_lost=2.0, bytes=6144)
    tried = {"fp16": (0.0, 7261, None), "int4": (2.94, 5985, None), "int8": (0.28, 6544, None)}
    order = sorted(tried, key=lambda name: goals.beyond(spec, *tried[name]))
    assert order == ["int8", "fp16", "int4"]
    slow = asked(most_lost=2.0, microseconds=10.0)
    assert goals.beyond(slow, 1.0, 900, 30.0)[0] == 3.0 and goals.beyond(slow, -1.0, None, None) == (-0.5, 0)
