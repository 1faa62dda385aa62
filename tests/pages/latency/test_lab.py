"""The latency lab inside Compare: its form, its progress, and what a session says."""

from __future__ import annotations

import json
import re
import time

import pytest

from kd_core.errors import KDError
from kd_core.evaluate.cost import CostSpec, cost
from kd_core.runs.store.folder import MODEL
from kd_core.runs.timing.asked import LatencySpec
from kd_core.runs.timing.kept import kept
from kd_core.runs.timing.listed import Listed
from kd_core.safe_io import write_json
from pages.ui.latency import asking, making, told
from pages.ui.shared import engine, example
from pages.ui.shared.text import t
from tests.pages.fixtures import done_run, store
from tests.pages.latency.sessions import keep, session
from tests.pages.screen import jobs, open_page, words  # noqa: F401

KINDS = ("multiselect", "number_input", "text_input", "selectbox", "toggle", "button")


@pytest.fixture(autouse=True)
def _quiet(jobs, monkeypatch):  # noqa: F811
    monkeypatch.setattr(making, "_last", [])
    return jobs


def run_with_models(**more):
    run_id = done_run(**more)
    model = {"schema": 1, "students": [{"index": 0, "name": "tiny"}], "plain": [{"name": "plain linear"}]}
    write_json(store().folder(run_id).path / MODEL, model)
    return run_id


def measured(**changes):
    run_id = run_with_models()
    keep(store().folder(run_id), session(run_id, **changes))
    return run_id, open_page("compare", runs=run_id)


def frames(at):
    return [d.value for d in at.dataframe]


def lab_chart(at):
    (spec,) = [
        s
        for s in (json.loads(c.proto.spec) for c in at.get("plotly_chart"))
        if "p50 (log)" in json.dumps(s["layout"].get("xaxis", {}))
    ]
    return spec


def widget(at, kind, key):
    return next(one for one in getattr(at, kind) if one.key == key)


def test_before_anything_is_measured_the_form_says_what_will_stand_here():
    at = open_page("compare", runs=run_with_models())
    assert not at.exception
    assert t("latency.title") in words(at) and t("latency.empty") in words(at)
    names = widget(at, "multiselect", "latency-models").options
    assert [name.split(" (")[1] for name in names] == ["teacher)", "trained alone)", "student)", "plain model)"]
    assert names[0].startswith(engine.part_title("teacher", "gradient_boosting"))
    assert not widget(at, "button", "latency-measure").disabled


def test_a_run_without_models_is_told_and_the_lab_left_out():
    at = open_page("compare", runs=done_run())
    assert not at.exception and "has no models to time" in " ".join(e.value for e in at.caption)
    assert not any(b.key == "latency-measure" for b in at.button)


def test_every_control_has_a_name_that_can_be_read_out():
    _, at = measured()
    for kind in KINDS:
        for one in getattr(at, kind):
            if str(one.key).startswith("latency-"):
                assert re.search(r"[A-Za-z]{3}", one.label), one.key
    for one in at.get("button_group"):
        assert re.search(r"[A-Za-z]{3}", one.label), one.key


def test_nothing_chosen_is_said_beside_the_button():
    at = open_page("compare", runs=run_with_models())
    widget(at, "multiselect", "latency-models").set_value([]).run()
    assert not at.exception and t("latency.nothing_chosen") in words(at)
    assert widget(at, "button", "latency-measure").disabled


def test_a_session_is_drawn_with_its_intervals_hardware_and_date():
    run_id, at = measured()
    assert not at.exception
    said = words(at)
    assert (
        t("latency.just_now") in said and "AMD EPYC 7B13, 2 cores" in said and "6 of 6 rounds, load 0.2 to 0.4" in said
    )
    spec = lab_chart(at)
    assert spec["layout"]["xaxis"]["type"] == "log"
    marks = [d for d in spec["data"] if d["mode"] == "markers"]
    bars = [d for d in spec["data"] if d["mode"] == "lines"]
    assert sum(len(d["x"]) for d in marks) == 6 and len(bars) == 12  # two models in three ways, each with two bars
    assert bars[1]["x"] == pytest.approx([0.018, 0.024]) and bars[0]["x"] == pytest.approx([0.02, 0.04])
    assert {a["text"].split(" (")[0] for a in spec["layout"]["annotations"]} == {"tiny"}
    found = kept(store().folder(run_id))[0]
    drawn = told.points(found, "whole", 1)
    assert [p["low"] <= p["p50"] <= p["high"] <= p["p95"] for p in drawn] == [True] * 6


@pytest.mark.slow
def test_form_and_rows_can_be_changed():
    _, at = measured()
    first = frames(at)[1]
    assert first["p50"].iloc[0] == "20 µs" and len(first) == 6
    groups = {g.label: g for g in at.get("button_group")}
    groups[t("latency.rows_at_once")].set_value(256).run()
    assert not at.exception and frames(at)[1]["p50"].iloc[0] == "0.32 ms"


def test_where_torch_beats_the_file_it_is_said_and_the_choice_is_laid_out():
    _, at = measured()
    assert (
        "tiny (student), 256 rows at once: torch answers in 1.00 ms, the deployed file in ONNX Runtime in 2.00 ms"
        in words(at)
    )
    (line,) = [f for f in frames(at) if t("latency.column.chosen") in f.columns]
    assert line[t("latency.column.chosen")].tolist() == ["torch, 1 thread"]
    assert line[t("latency.column.checked")].tolist() == ["1.02 times"]


def test_sizes_start_and_memory_stand_side_by_side():
    _, at = measured()
    (sizes,) = [f for f in frames(at) if t("latency.column.nonzero") in f.columns]
    student = sizes[sizes[t("latency.column.model")] == "tiny (student)"].iloc[0]
    assert (student[t("latency.column.bytes")], student[t("latency.column.nonzero")]) == ("7.2 KB", "900")
    assert student["Start, ONNX Runtime"] == "0.9 s" and student["Memory, ONNX Runtime"] == "150 MB"
    assert "Start, torch" not in sizes.columns  # no process was started for it


def costs_of(at):
    (found,) = [f for f in frames(at) if t("latency.column.money") in f.columns]
    return found.set_index(t("latency.column.model"))


def test_the_cost_follows_its_assumptions_which_can_be_changed():
    _, at = measured()
    usual = cost(0.02, 1, CostSpec())
    line = costs_of(at).loc["tiny (student)"]
    assert line[t("latency.column.cpu")] == "20 s" and line[t("latency.column.money")] == f"{usual.money:.2g} USD"
    assert costs_of(at).iloc[0][t("latency.column.way")] == t(
        "latency.by_run"
    )  # the teacher, dearest, as its run timed it
    widget(at, "number_input", "latency-price").set_value(1.0)
    widget(at, "number_input", "latency-used").set_value(100)
    widget(at, "text_input", "latency-currency").set_value("EUR").run()
    assert costs_of(at).loc["tiny (student)"][t("latency.column.money")] == f"{20 / 3600:.2g} EUR"
    widget(at, "selectbox", "latency-cost-batch").set_value(256).run()
    assert not at.exception
    assert costs_of(at).loc["tiny (student)"][t("latency.column.cpu")] == "1.2 s"  # 3,906 batches of 0.32 ms
    assert "Gradient boosting (teacher)" not in costs_of(at).index  # its run timed no batches of 256


def test_what_was_not_timed_stands_with_its_reason_and_shows_markup_literally():
    _, at = measured()
    said = words(at)
    assert "only its answers were kept" in said and "no process but this one can make it" in said
    assert "<b>" not in said and "*note*" not in said


def test_a_busy_machine_and_fewer_rounds_are_said():
    found = session("r")
    _, at = measured(machine={**found["machine"], "busy": 4.0}, rounds={"asked": 10, "done": 4})
    assert t("latency.busy") in words(at) and t("latency.fewer") in words(at)
    _, at = measured()
    assert t("latency.busy") not in words(at) and t("latency.fewer") not in words(at)


def test_a_session_of_another_day_says_when():
    _, at = measured(utc="2026-01-02T03:04:05.000Z")
    assert "Measured at 2026-01-02 03:" in words(at).replace("\u2060", "") and t("latency.just_now") not in words(at)


def test_a_session_without_any_time_is_said():
    _, at = measured(times=[], chosen=[])
    assert not at.exception and t("latency.no_times") in words(at)


@pytest.mark.slow
def test_the_example_is_measured_while_the_page_tells_its_progress():
    run_id = example.adopt()[1]
    at = open_page("compare", runs=run_id)
    chosen = [name for name in widget(at, "multiselect", "latency-models").value if "/student/" in name]
    widget(at, "multiselect", "latency-models").set_value(chosen[:1])
    widget(at, "number_input", "latency-rounds").set_value(3)
    widget(at, "number_input", "latency-limit").set_value(5)
    widget(at, "number_input", "latency-starts").set_value(0)
    widget(at, "button", "latency-measure").click().run()
    assert not at.exception
    job = making.last()
    assert job is not None
    with pytest.raises(KDError, match="Another measurement"):
        making.start(LatencySpec(runs=(run_id,)))
    while job.busy:
        time.sleep(0.2)
    assert job.error is None
    at.run()
    assert not at.exception and t("latency.just_now") in words(at)
    assert kept(engine.store().folder(run_id))[0]["models"][0]["id"] == chosen[0]


@pytest.mark.slow
def test_a_measurement_that_is_stopped_or_fails_is_told():
    run_id = run_with_models()  # its files are no models
    at = open_page("compare", runs=run_id)
    widget(at, "button", "latency-measure").click().run()
    job = making.last()
    job.wait(240)
    at.run()
    assert not at.exception and at.error and job.error is not None
    making.start(LatencySpec(runs=(run_id,)))
    making.last().stop()
    making.last().wait(60)
    at.run()
    assert t("latency.stopped") in words(at)


def test_models_are_named_with_their_run_only_where_two_are_called_alike_and_each_run_has_its_turn():
    found = [Listed(f"{run}{i}", run, f"run {run}", "student", f"s{i}") for run in "ab" for i in range(6)]
    found = [*found, Listed("b9", "b", "run b", "stage", "half")]
    names = asking.labels(found)
    assert names["b9"] == "half (stage)" and names["a0"] == "s0 (student) · run a"
    assert asking.usual(found) == [f"{run}{i}" for run in "ab" for i in range(4)]


def test_what_a_note_says_is_not_said_again():
    one = session("first")
    model = one["models"][-1]
    model["notes"] = ["It can't be timed so: torch has no file of it."]
    model["missing"] = [
        {**{"runtime": "torch"}, "reason": reason} for reason in ("torch has no file of it", "it is away")
    ]
    said = " ".join(map(str, told.notes(one)))
    assert said.count("torch has no file of it") == 1 and "it is away" in said


def test_the_models_to_time_follow_the_runs_that_are_compared():
    first, second = run_with_models(name="one"), run_with_models(name="two")
    at = open_page("compare", runs=first)
    models = "latency-models"
    widget(at, "multiselect", models).set_value(widget(at, "multiselect", models).value[:1]).run()
    (own,) = at.session_state[models]
    widget(at, "multiselect", "compare-runs").set_value([first, second]).run()
    chosen = at.session_state[models]
    assert (
        not at.exception and own in chosen and len(chosen) > 1
    )  # the person's own choice stays, the new run's are added
    names = {first: "first", second: "now with 8 seeds"}  # as pages name runs, whatever they were called at first
    found = asking.models([store().folder(run) for run in names], names)
    assert {one.run_name for one in found} == set(names.values())
    assert {one.run for one in found if one.id in chosen} == {first, second}
    widget(at, "multiselect", "compare-runs").set_value([second]).run()
    assert not at.exception and own not in at.session_state[models] and at.session_state[models]
