"""The typed reader of results: both versions, and what is damaged."""

import json
from pathlib import Path

import pytest

from kd_core.errors import KDError
from kd_core.evaluate.intervals.compare import Gain
from kd_core.runs.outcome import read_gain, read_outcome, write_gain

OLD = Path(__file__).parent / "kept" / "version_1" / "result.json"


def old():
    return json.loads(OLD.read_text("utf-8"))


def test_a_result_of_version_1_is_read_without_what_it_did_not_know():
    found = read_outcome(old())
    assert found.schema == 1 and found.metric.name == "roc_auc" and found.test_reads is None
    tiny, small = found.students
    assert (tiny.name, tiny.verdict, tiny.seeds) == ("tiny", "beats", (0, 1, 2, 3, 4))
    gain = tiny.gain["roc_auc"]
    assert gain.low < gain.mean < gain.high and gain.n == 5
    assert gain.seeds_half is None and gain.rows_half is None
    assert (tiny.versus_teacher, tiny.placebo, tiny.advice, tiny.family) == ({}, None, None, {})
    assert tiny.credit("roc_auc") is None
    assert found.students[found.best].selected == max(tiny.selected, small.selected)


def test_a_gain_is_read_as_it_was_written():
    gain = Gain(0.01, 0.002, 0.018, 0.004, 0.007, 3)
    assert read_gain(json.loads(json.dumps(write_gain(gain)))) == gain


def test_a_newer_result_is_refused_with_both_versions():
    with pytest.raises(KDError, match=r"newer version \(format 9, known up to 3\)"):
        read_outcome({**old(), "schema": 9})


@pytest.mark.parametrize("damage", ["{}", "[]", "null", "students", "metric", "gain", "teacher", "endless", "name"])
def test_what_cannot_be_read_is_named_as_damaged(damage):
    found = json.loads(damage) if damage in ("{}", "[]", "null") else old()
    if damage == "gain":
        found["students"][0]["gain"]["roc_auc"] = {"mean": 1}
    elif damage == "endless":
        found["schema"] = float("-inf")
    elif damage == "name":
        found["metric"]["name"] = ["roc_auc"]
    elif damage in ("students", "metric", "teacher"):
        found[damage] = None
    with pytest.raises(KDError, match=r"The result can't be read: "):
        read_outcome(found)


def test_the_best_cell_of_a_what_if_comes_first():
    found = old()
    found["sweep"] = {"best": 7}
    found["students"][0]["cell"], found["students"][1]["cell"] = 7, 3
    for entry in found["students"][1]["selection"]["student"]:
        entry["score_selected"] = 1.0
    assert read_outcome(found).best == 0
