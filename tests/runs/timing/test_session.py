"""The latency lab on a real small run: what is opened, timed, chosen, kept and said. No time itself is judged."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from kd_core.cli.app import app
from kd_core.errors import KDError, SpecError, Stopped
from kd_core.evaluate.cost import CostSpec
from kd_core.machine.processor import cores
from kd_core.runs import experiment, predictor
from kd_core.runs.store.folder import MODEL, RunFolder
from kd_core.runs.timing import told
from kd_core.runs.timing.asked import LatencySpec, check
from kd_core.runs.timing.job import Job
from kd_core.runs.timing.kept import MOST, keep, kept
from kd_core.runs.timing.lines import lines
from kd_core.runs.timing.listed import listed
from kd_core.runs.timing.models import open_model
from kd_core.runs.timing.session import measure
from kd_core.runs.timing.ways import Way, ready
from kd_core.safe_io import write_json
from kd_core.specs import Choice
from tests.runs.tables import small_spec, write_table

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]
QUICK = {"rounds": 3, "turn": 0.002, "seconds": 5.0, "batches": (1, 8), "starts": 0}


def made(place, **changes):
    spec = small_spec(write_table(place / "t.csv")).model_copy(update=changes)
    folder = RunFolder.create(place / "run", spec)
    folder.finish("done", experiment.run(spec, folder, lambda event: None, lambda: False))
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("lab")
        patch.setenv("KD_WORKSPACE", str(place / "workspace"))
        spec = small_spec(write_table(place / "t.csv"))
        yield made(place, evaluation=spec.evaluation.model_copy(update={"references": True}))


@pytest.fixture(scope="module")
def network_run(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("net")
        patch.setenv("KD_WORKSPACE", str(place / "workspace"))
        yield made(place, teacher=Choice(name="mlp", settings={"size": "tiny", "epochs": 2}))


def asked(*folders, **changes):
    return LatencySpec.parse({"runs": [str(f.path) for f in folders], **QUICK, **changes})


def by_role(folder):
    return {one.role: one for one in listed(folder)}


@pytest.fixture(scope="module")
def found(run):
    events = []
    some = {one.role: one.id for one in reversed(listed(run))}  # one of each part
    return measure(asked(run, models=list(some.values()), batches=(1, 8, 256)), events.append), events


def test_every_model_of_a_run_is_listed_with_its_part(run):
    names = [(one.role, one.name) for one in listed(run)]
    assert names[:3] == [("teacher", "gradient_boosting"), ("baseline", "tiny"), ("student", "tiny")]
    assert all(role == "plain" for role, _ in names[3:]) and len(names) > 3
    assert len({one.id for one in listed(run)}) == len(names)


def test_all_that_can_be_timed_is_and_the_rest_says_why(run, found):
    session, _ = found
    timed = {(t["model"].split("/")[1], t["form"], t["runtime"]) for t in session["times"]}
    both = {
        (role, form, way)
        for role in ("baseline", "student", "plain")
        for form in told.FORMS
        for way in ("onnxruntime", "torch")
    }
    assert timed == both
    (teacher,) = (one for one in session["models"] if one["role"] == "teacher")
    assert "only its answers to the rows of the data were kept" in teacher["missing"][0]["reason"]
    assert "it can be trained again" in teacher["missing"][0]["reason"]
    assert not any(one["missing"] for one in session["models"] if one["role"] != "teacher")
    assert all(
        {"p50", "low", "high", "p95", "p99", "per_second", "calls", "rounds"} <= set(t) for t in session["times"]
    )
    assert all(t["low"] <= t["p50"] <= t["high"] and t["p50"] <= t["p99"] for t in session["times"])
    assert {"device_name", "cores", "torch", "onnxruntime", "python", "load", "busy"} <= set(session["machine"])
    assert session["rounds"] == {"asked": 3, "done": 3}
    json.dumps(session, allow_nan=False)


def test_sizes_stand_side_by_side(run, found):
    sizes = {one["role"]: one["size"] for one in found[0]["models"]}
    student = run.result()["students"][0]
    assert sizes["student"]["bytes"] == student["deployed"]["bytes"]
    assert sizes["student"]["compact"] == student["deployed"]["compact"]["bytes"]
    assert (sizes["student"]["parameters"], sizes["student"]["flops"]) == (student["parameters"], student["flops"])
    assert 0 < sizes["student"]["nonzero"] <= sizes["student"]["parameters"]
    assert sizes["baseline"]["parameters"] == sizes["student"]["parameters"]
    assert sizes["teacher"]["bytes"] == run.result()["teacher"]["size_bytes"]


def test_a_fresh_process_tells_start_and_memory(run):
    session = measure(asked(run, models=[by_role(run)["student"].id], starts=1, batches=(1,)))
    starts = {s["runtime"]: s for s in told.starts(session)}
    assert set(starts) == {"onnxruntime", "torch"} and not told.not_timed(session)
    assert all(s["seconds"] > 0 and s["starts"] == 1 for s in starts.values())
    assert (
        20 * 2**20 < starts["onnxruntime"]["peak_bytes"] < starts["torch"]["peak_bytes"]
    )  # torch alone takes more than all the rest


def test_phases_are_told_in_their_order(found):
    phases = list(dict.fromkeys(event["phase"] for event in found[1]))
    assert phases == ["open", "choose", "prepare", "rounds"]
    assert all(event["kind"] == "latency" and 0 <= event["done"] <= event["of"] for event in found[1])


def test_a_runtime_is_chosen_and_checked_by_the_session(found):
    session, _ = found
    picked = {(one["model"].split("/")[1], one["batch"]) for one in session["chosen"]}
    assert {(role, batch) for role in ("student", "baseline", "plain") for batch in (1, 256)} == picked
    timed = {(t["model"], t["form"], t["batch"], t["runtime"], t["threads"]) for t in session["times"]}
    for one in session["chosen"]:
        assert (one["model"], "network", one["batch"], one["runtime"], one["threads"]) in timed
        assert one["session"]["times"] >= 0
        assert {(p["runtime"], p["threads"]) for p in one["probe"]} >= {("onnxruntime", 1), ("torch", 1)}


def test_a_baseline_is_the_network_that_the_run_trained_alone(run):
    one = by_role(run)["baseline"]
    model = open_model(run, one)
    student = predictor.load(run.path, "tiny")
    rows = model.rows[:20]
    whole = ready(model, Way("onnxruntime"), "whole").predict(rows)[0]
    by_torch = ready(model, Way("torch"), "whole")
    with by_torch.within():
        assert np.abs(by_torch.predict(rows) - whole).max() < 1e-5
    assert np.abs(student.answers(rows) - whole).max() > 1e-4
    logits = np.load(run.artifact("soft_labels.npz"))["baseline_0"][:20]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert np.abs(shares - whole).max() < 1e-5


def test_a_student_answers_alike_in_every_way_that_is_timed(run):
    model = open_model(run, by_role(run)["student"])
    wanted = predictor.load(run.path, "tiny").answers(model.rows[:9])
    for runtime in ("onnxruntime", "torch"):
        made = ready(model, Way(runtime), "whole")
        with made.within():
            said = made.predict(model.rows[:9])
            alone = made.predict(model.rows[0])
        said, alone = (one[0] if runtime == "onnxruntime" else one for one in (said, alone))
        assert np.abs(said - wanted).max() < 1e-5 and np.abs(alone - wanted[:1]).max() < 1e-5


def test_a_teacher_that_is_a_network_is_timed_by_its_shape_and_says_so(network_run):
    one = by_role(network_run)["teacher"]
    session = measure(asked(network_run, models=[one.id]))
    assert {t["runtime"] for t in session["times"]} == {"onnxruntime", "torch"}
    (model,) = session["models"]
    assert "same shape with other weights" in model["notes"][0]
    assert model["size"]["parameters"] == network_run.result()["teacher"]["parameters"]


def test_a_teacher_of_trees_is_trained_again_when_asked(run):
    one = by_role(run)["teacher"]
    session = measure(asked(run, models=[one.id], again=True))
    assert {(t["runtime"], t["form"]) for t in session["times"]} == {("own", "whole"), ("own", "network")}
    assert "trained again" in session["models"][0]["notes"][0]


def test_what_can_not_be_is_refused_in_words(run, tmp_path):
    with pytest.raises(SpecError, match="this process may use"):
        check(asked(run, threads=(cores() + 1,)))
    with pytest.raises(SpecError, match="batches from 1"):
        asked(run, batches=(2000,))
    with pytest.raises(KDError, match="There is no model 'nobody' to time"):
        measure(asked(run, models=("nobody",)))
    with pytest.raises(KDError, match="only its answers") as nothing:
        measure(asked(run, models=(by_role(run)["teacher"].id,)))
    assert nothing.value.code == "latency_nothing"
    unfinished = RunFolder.create(tmp_path / "open", small_spec(write_table(tmp_path / "t.csv")))
    with pytest.raises(KDError, match="has no models to time"):
        listed(unfinished)


def test_weights_that_are_gone_leave_the_baseline_out_in_words(run, tmp_path):
    import shutil

    copy = RunFolder(shutil.copytree(run.path, tmp_path / "copy"))
    shutil.rmtree(copy.checkpoints)
    session = measure(asked(copy, models=[one.id for one in listed(copy) if one.role in ("baseline", "student")]))
    (baseline,) = (one for one in session["models"] if one["role"] == "baseline")
    assert "does not keep the weights" in baseline["missing"][0]["reason"]
    assert {t["model"].split("/")[1] for t in session["times"]} == {"student"}


def test_a_stage_whose_file_alone_was_changed_is_not_given_to_torch(run, tmp_path, monkeypatch):
    import shutil

    from kd_core.compress.base import STEPS

    copy = RunFolder(shutil.copytree(run.path, tmp_path / "copy"))
    result, model = copy.result(), copy.read(MODEL)
    stages = [
        {"id": 0, "parent": None, "step": None, "name": "tiny"},
        {"id": 1, "parent": 0, "step": {"name": "whole_numbers"}, "name": "short"},
    ]
    write_json(copy.path / "result.json", {**result, "compressed": {"stages": stages}})
    students = [*model["students"], {**model["students"][0], "name": "short"}]
    write_json(copy.path / MODEL, {**model, "students": students})

    class Entry:
        facts = {"changes": "file"}  # noqa: RUF012

    monkeypatch.setattr(STEPS, "get", lambda name: Entry())
    kinds = {one.name: one.role for one in listed(copy) if one.role != "plain"}
    assert kinds["tiny"] == kinds["short"] == "stage"
    session = measure(asked(copy, models=[one.id for one in listed(copy) if one.role == "stage"]))
    ways = {(t["model"].split("/")[2], t["runtime"]) for t in session["times"]}
    assert ways == {("tiny", "onnxruntime"), ("tiny", "torch"), ("short", "onnxruntime")}
    assert any("changed its file alone" in reason for _, reason in told.not_timed(session))


def test_a_stop_keeps_nothing(run):
    with pytest.raises(Stopped):
        measure(asked(run), should_stop=lambda: True)


def test_sessions_are_kept_beside_their_run_and_are_no_part_of_it(run, found, tmp_path):
    for number in range(MOST + 2):
        keep({**found[0], "utc": f"2026-01-0{number + 1}T00:00:00.000Z"}, [run])
    some = kept(run)
    assert [one["utc"][9] for one in some] == [str(n) for n in range(MOST + 2, 2, -1)]
    assert run.damage() == []
    (run.path / "latency" / "20990101.json").write_text("{", "utf-8")
    (run.path / "latency" / "20990102.json").write_text('{"schema": 99, "times": []}', "utf-8")
    assert len(kept(run)) == MOST


def test_the_cost_follows_from_the_time_as_deployed(run, found):
    session, _ = found
    costs = {
        c.time.model.split("/")[1]: c for c in told.costs(session, CostSpec(per_day=86_400, utilisation=1, batch=8))
    }
    student = costs["student"]
    wanted = next(
        t
        for t in session["times"]
        if "/student/" in t["model"] and (t["form"], t["runtime"], t["batch"]) == ("whole", "onnxruntime", 8)
    )
    assert student.time.p50 == wanted["p50"] and student.cost.seconds == pytest.approx(
        86_400 / 8 * wanted["p50"] / 1000
    )
    assert [c.cost.seconds for c in told.costs(session, CostSpec())] == sorted(
        (c.cost.seconds for c in told.costs(session, CostSpec())), reverse=True
    )


def test_a_teacher_that_was_not_timed_costs_what_its_run_measured(run, found):
    session = json.loads(json.dumps(found[0]))
    teacher = next(one for one in session["models"] if one["role"] == "teacher")
    assert told.deployed(session, teacher["id"], 1).by_run and not told.deployed(session, teacher["id"], 8)
    teacher["by_run"] = {"native": {"1": {"p50": 0.8, "p95": 1.0, "p99": 1.1}}}
    known = told.deployed(session, teacher["id"], 1)
    assert known.by_run and known.p50 == 0.8 and known.form == "network"


def test_where_torch_is_faster_than_the_file_it_is_said(found):
    session = json.loads(json.dumps(found[0]))
    one = session["chosen"][0]
    one.update(
        runtime="torch",
        threads=1,
        probe=[{"runtime": "onnxruntime", "threads": 1, "p50": 2.0}, {"runtime": "torch", "threads": 1, "p50": 1.0}],
    )
    assert told.fastest(session)[0].file_is_slower and not told.fastest(session)[1].file_is_slower
    assert "faster than the deployed file in ONNX Runtime (2 ms)" in "\n".join(lines(session, CostSpec()))


def test_a_busy_machine_and_missing_rounds_are_said(found):
    session = {**found[0], "machine": {**found[0]["machine"], "busy": 3.0}, "rounds": {"asked": 9, "done": 3}}
    said = "\n".join(lines(session, CostSpec()))
    assert "busy with other work" in said and "time ran out" in said
    calm = {**found[0], "machine": {**found[0]["machine"], "busy": 1.0}}
    assert "busy" not in "\n".join(lines(calm, CostSpec()))


def test_the_command_prints_writes_and_keeps(run, tmp_path):
    place = tmp_path / "found.json"
    line = [
        "latency",
        str(run.path),
        "--rounds",
        "3",
        "--seconds",
        "1",
        "--starts",
        "0",
        "--batch",
        "1",
        "--form",
        "network",
    ]
    done = CliRunner().invoke(
        app, [*line, "--model", by_role(run)["student"].id, "--price", "0.1", "--json", str(place)]
    )
    assert done.exit_code == 0, done.output
    assert "tiny (student)" in done.output and "cost of 1,000,000 predictions a day" in done.output
    written = json.loads(place.read_text())
    assert kept(run)[0] == written and {t["form"] for t in written["times"]} == {"network"}
    wrong = CliRunner().invoke(app, [*line, "--device", "cuda"])
    assert wrong.exit_code == 2 or "GPU" not in wrong.output  # refused where there is none


def test_a_job_tells_its_progress_and_its_session(run):
    job = Job(asked(run, models=(by_role(run)["student"].id,), forms=("network",)))
    job.wait(240)
    assert not job.busy and job.error is None
    assert job.found == kept(run)[0] and job.progress["phase"] == "rounds"


def test_a_job_that_fails_says_why_and_one_that_is_stopped_keeps_nothing(run):
    job = Job(asked(run, models=("nobody",)))
    job.wait(240)
    assert job.error.code == "latency_model" and job.found is None
    before = len(kept(run))
    job = Job(asked(run, rounds=200, turn=1.0, seconds=600))
    job.stop()
    job.wait(60)
    assert not job.busy and job.error is None and job.found is None and len(kept(run)) == before
