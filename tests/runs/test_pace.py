"""What earlier runs took against what was estimated: kept per kind, robust, and never worth an error."""

from __future__ import annotations

import json

import pytest

from kd_core.machine import processor
from kd_core.runs import pace
from kd_core.runs.direct import run_here
from kd_core.runs.pace import KEPT, Meter, Pace
from kd_core.runs.service.execution import Execution, StopSignal
from kd_core.runs.store.folder import RunFolder
from kd_core.safe_io import sha256_file
from tests.runs.services import run_spec
from tests.runs.tables import small_spec, write_table

WORK = [
    {"kind": "data", "phases": ["data"], "estimated": 1.0, "seconds": 1.0},
    {"kind": "teacher:mlp", "phases": ["teacher"], "estimated": 4.0, "seconds": 9.0},
    {"kind": "training:stacks", "phases": ["baseline", "students"], "estimated": 5.0, "seconds": 5.0},
]
PLAN = {"kind": "plan", "trainings": 12, "work": WORK}


def ended(name, seconds, **more):
    return {"kind": "phase", "phase": name, "state": "end", "seconds": seconds, **more}


def measured(*events):
    meter = Meter()
    for event in events:
        meter.take(event)
    return meter.ratios()


def test_nothing_is_known_of_a_new_machine(tmp_path):
    assert pace.read(tmp_path) == Pace() and Pace().factor("data") == 1.0 and Pace().runs("data") == 0


def test_the_median_of_the_newest_ratios_counts(tmp_path):
    for ratio in (2.0, 2.0, 2.2, 19.0, 2.1):
        pace.learn(tmp_path, {"data": ratio})
    found = pace.read(tmp_path)
    assert found.factor("data") == 2.1 and found.runs("data") == 5 and found.factor("evaluate") == 1.0
    for _ in range(2 * KEPT):
        pace.learn(tmp_path, {"data": 1000.0})
    found = pace.read(tmp_path)
    assert found.runs("data") == KEPT and found.factor("data") == pace.MOST


def test_no_ratio_writes_no_file(tmp_path):
    pace.learn(tmp_path, {})
    assert not (tmp_path / pace.FILE).exists()


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"ratios": {"data": 3}}', '{"ratios": {"data": [null]}}', '{"ratios": {"data": [-1]}}', "{"]
)
def test_a_damaged_file_is_said_in_the_log_and_counted_anew(tmp_path, caplog, text):
    (tmp_path / pace.FILE).write_text(text)
    assert pace.read(tmp_path) == Pace()
    assert "times of earlier runs can't be read" in caplog.text
    pace.learn(tmp_path, {"data": 2.0})
    assert pace.read(tmp_path).factor("data") == 2.0


def test_a_run_is_measured_against_its_plan_per_kind():
    found = measured(PLAN, ended("data", 2.0), ended("teacher", 6.0), ended("baseline", 4.0), ended("students", 6.0))
    assert found == {"data": 2.0, "teacher:mlp": 1.5, "training:stacks": 2.0}


def test_what_was_kept_short_or_unfinished_teaches_nothing():
    assert measured(PLAN, ended("data", 0.1), ended("teacher", 6.0, cached=True), ended("baseline", 9.0)) == {}
    read = {"kind": "part", "phase": "teacher", "what": "texts", "done": 5, "of": 9}
    assert "teacher:mlp" in measured(PLAN, read, ended("teacher", 6.0))
    assert measured(PLAN, {**read, "kept": 5}, read, ended("teacher", 6.0)) == {}  # read by an earlier run


def test_candidates_teach_how_long_they_take_unless_their_time_was_up():
    choose = {"kind": "choose", "phases": ["choose"], "estimated": 30.0, "seconds": 30.0, "most": 60.0}
    plan = {**PLAN, "work": [*WORK, choose]}
    own = {"kind": "trained", "arm": "student", "done": 1, "of": 99, "choosing": True}
    assert measured(plan, own, ended("choose", 45.0), ended("baseline", 5.0), ended("students", 5.0)) == {
        "choose": 1.5,
        "training:stacks": 2.0,
    }
    assert measured(plan, ended("choose", 59.5)) == {}


def test_seeds_that_were_added_are_part_of_what_was_to_be_expected():
    grown = {"kind": "trained", "arm": "student", "done": 13, "of": 24}
    found = measured(PLAN, grown, ended("baseline", 10.0), ended("students", 10.0))
    assert found == {"training:stacks": 2.0}
    again = measured(PLAN, {**PLAN, "trainings": 24}, ended("baseline", 10.0), ended("students", 10.0))
    assert again == {"training:stacks": 2.0}


def test_a_finished_run_leaves_its_times_and_a_resumed_or_stopped_one_does_not(tmp_path, own_workspace):
    def run(spec, folder, notify, should_stop):
        for event in (PLAN, ended("data", 3.0)):
            notify(event)
        return {"metric": {}}

    def carry_out(name, attempts=0, stop=False):
        folder = RunFolder.create(tmp_path / name, run_spec(name), created_utc="", attempts=attempts)
        signal = StopSignal()
        if stop:
            signal.ask("cancel")
            signal()
        return Execution(folder, run, signal).carry_out()

    assert carry_out("stopped", stop=True).state == "cancelled" and carry_out("resumed", attempts=1).state == "done"
    assert pace.read(own_workspace) == Pace()
    assert carry_out("whole").state == "done"
    assert json.loads((own_workspace / pace.FILE).read_text())["ratios"] == {"data": [3.0]}


def test_a_disk_that_refuses_costs_the_times_and_not_the_run(tmp_path, own_workspace, monkeypatch, caplog):
    def refuse(root, ratios):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pace, "learn", refuse)
    folder = RunFolder.create(tmp_path / "run", run_spec("full"), created_utc="", attempts=0)
    ending = Execution(folder, lambda *a: {"metric": {}}, StopSignal()).carry_out()
    assert ending.state == "done" and "were not kept for later estimates" in caplog.text


@pytest.mark.slow
def test_a_real_run_plans_by_work_and_the_second_teacher_is_free(tmp_path, own_workspace):
    path = write_table(tmp_path / "t.csv")
    spec = small_spec(path)
    spec = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"sha256": sha256_file(path)})})
    plans = []

    def hear(event):
        if event["kind"] == "plan":
            plans.append(event)

    run_here(spec, tmp_path / "one", hear, StopSignal())
    run_here(
        spec.model_copy(update={"training": spec.training.model_copy(update={"epochs": 4})}),
        tmp_path / "two",
        hear,
        StopSignal(),
    )
    first, second = ({w["kind"].split(":")[0]: w for w in p["work"]} for p in plans)
    assert list(first) == ["data", "teacher", "training", "evaluate"]
    assert first["training"]["phases"] and set(first["training"]["phases"]).isdisjoint({"data", "teacher", "evaluate"})
    assert first["teacher"]["seconds"] > 0 and second["teacher"]["seconds"] == 0 < second["teacher"]["estimated"]
    assert plans[0]["estimate_seconds"] == pytest.approx(sum(w["seconds"] for w in plans[0]["work"]), abs=0.1)


def test_a_busy_machine_is_slower_and_an_idle_one_is_not_faster(monkeypatch):
    monkeypatch.setattr(processor.os, "cpu_count", lambda: 2)
    for load, factor in ((0.0, 1.0), (1.0, 1.0), (5.0, 3.0), (500.0, processor.MOST_BUSY)):
        monkeypatch.setattr(processor.psutil, "getloadavg", lambda load=load: (load, 0.0, 0.0))
        assert processor.busy() == factor
