"""The typed reader of results: every version, and what is damaged."""

import json
from pathlib import Path

import pytest

from kd_core.errors import KDError
from kd_core.evaluate.intervals.compare import Gain
from kd_core.runs.outcome import read_outcome
from kd_core.runs.store.measured import read_gain, write_gain
from tests.pages.results import result

OLD = Path(__file__).parent / "kept" / "version_1" / "result.json"


TODAY = Path(__file__).parents[2] / "sample_data" / "example" / "result.json"


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


def test_the_cells_of_an_older_ordinary_run_are_those_that_today_s_would_say():
    today = json.loads(TODAY.read_text("utf-8"))
    older = {**{k: v for k, v in today.items() if k != "cells"}, "schema": 2}
    made, written = (read_outcome(found).cells for found in (older, today))
    open_ones = {"learning_rate", "weight_decay", "dropout"}  # what only the recipe said
    assert [c.raw | dict.fromkeys(open_ones) for c in written] == [c.raw for c in made]
    assert [(c.number, c.student, c.like_best) for c in made] == [(0, "tiny", False), (1, "small", True)]
    assert made[0].gain.low < made[0].gain.mean < made[0].gain.high and not read_outcome(today).has_map


def test_a_stopped_run_of_an_older_version_has_stopped_cells():
    found = old()
    found["students"][0]["stopped_early"] = True
    first, second = read_outcome(found).cells
    assert (first.stopped, first.raw["word"], second.stopped) == (True, "inconclusive", False)


def test_older_what_ifs_say_their_cells_in_the_sweep_and_settings_that_vary_are_named():
    today = json.loads(TODAY.read_text("utf-8"))
    cells = [{**today["cells"][0], "cell": i, "temperature": float(i + 1)} for i in range(3)]
    cells[2]["gain"] = {"mean": None, "ci95": [None, None], "n": 0}
    before = {**today, "schema": 2, "sweep": {"best": 0, "cells": cells}}
    now = {**today, "cells": cells, "sweep": {"best": 0}}
    for found in map(read_outcome, (before, now)):
        assert found.varied == ("temperature",) and found.has_map and found.cells[2].gain is None
        assert [c.settings["temperature"] for c in found.cells] == [1, 2, 3]


@pytest.mark.parametrize("damage", ["cells", "gain", "settings"])
def test_cells_that_cannot_be_read_are_named_as_damaged(damage):
    found = json.loads(TODAY.read_text("utf-8"))
    if damage == "cells":
        del found["cells"]
    else:
        found["cells"][0].pop("gain" if damage == "gain" else "dropout")
    with pytest.raises(KDError, match=r"The result can't be read: KeyError '(cells|gain|dropout)'"):
        read_outcome(found).cells


def test_a_gain_is_read_as_it_was_written():
    gain = Gain(0.01, 0.002, 0.018, 0.004, 0.007, 3)
    assert read_gain(json.loads(json.dumps(write_gain(gain)))) == gain


def test_a_newer_result_is_refused_with_both_versions():
    with pytest.raises(KDError, match=r"newer version \(format 9, known up to 4\)"):
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


@pytest.mark.parametrize(("arm", "told"), [("baseline", False), ("student", True)])
def test_a_model_without_a_teacher_is_not_compared_with_itself(arm, told):
    found = result()
    one = found["students"][0]
    reference = {**json.loads(TODAY.read_text("utf-8"))["students"][0]["reference"]["best"], "arch": one["arch"]}
    found["students"][0] = {
        **one,
        "deployed": {"arm": arm, "bytes": reference["bytes"]},
        "reference": {"best": reference},
    }
    read = read_outcome(found).students[0]
    assert (read.plain is not None) == told and read.itself == (None if told else reference["name"])
    assert read.plain is None or read.plain.same
