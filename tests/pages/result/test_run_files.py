"""What a run can be taken home as, and how its list copes with very many."""

from __future__ import annotations

import csv
import io
import json

import pytest

from kd_core.reports.page import page
from kd_core.runs.outcome import read_outcome
from pages.ui.result import recipe
from pages.ui.runs import run_list
from pages.ui.shared.text import t
from tests.pages.fixtures import make_run, result, store
from tests.pages.screen import jobs, open_page, words  # noqa: F401


def test_metrics_as_csv_name_every_seed_and_defuse_formulas(buttons):
    found = result(students=("=cmd|x",))
    rows = list(csv.DictReader(io.StringIO(recipe.metrics_csv(found))))
    students = [r for r in rows if r["model"] == "student" and r["metric"] == "roc_auc"]
    assert [r["seed"] for r in students] == ["0", "1", "2"] and students[0]["student"] == "'=cmd|x"
    assert float(students[0]["gain_mean"]) == pytest.approx(0.009)
    assert {r["model"] for r in rows} == {"teacher", "baseline", "placebo", "student"}


@pytest.mark.parametrize("names", [("tiny",), ("tiny", "small")])
def test_metrics_as_csv_tell_the_interval_that_decides_beside_the_students_own(names):
    found = result(students=names)
    if len(names) > 1:
        found["students"][1]["gain"]["roc_auc"]["ci_family"] = [None, None]  # one seed has none
    rows = list(csv.DictReader(io.StringIO(recipe.metrics_csv(found))))
    for place, (student, one) in enumerate(zip(read_outcome(found).students, found["students"], strict=True)):
        row = next(r for r in rows if (r["model"], r["student"], r["metric"]) == ("student", student.name, "roc_auc"))
        gain, decides = student.gain["roc_auc"], student.judged("roc_auc")
        assert (float(row["gain_low"]), float(row["gain_high"])) == (gain.low, gain.high)
        assert (float(row["deciding_low"]), float(row["deciding_high"])) == (decides.low, decides.high)
        wider = "ci_family" in one["gain"]["roc_auc"] and place == 0
        assert (float(row["deciding_low"]) < gain.low) == wider
    assert all(r["deciding_low"] == r["gain_low"] == "" for r in rows if r["model"] != "student")


def test_what_reads_rows_can_be_taken_home_once_however_many_students_read_by_it(jobs):  # noqa: F811
    run_id = make_run("done", ("tiny", "small"), result(students=("tiny", "small")))
    folder, view = store().folder(run_id), "artifacts/views/tokens/tokenizer.json"
    found = folder.result()
    for name in (view, "artifacts/model.json"):
        (folder.path / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.path / name).write_text("{}")
    for entry in found["artifacts"]["students"]:
        entry["view"] = [view, "artifacts/../../outside.json"]
    found["artifacts"]["model"] = "artifacts/model.json"
    folder.write_result(found)
    at = open_page("runs", {"tab": str(t("runs.result.tabs_recipe"))}, run=run_id)
    assert not at.exception
    labels = [b.proto.label for b in at.get("download_button")]
    assert labels.count("Reading rows (tokenizer.json)") == labels.count("Reading rows (model.json)") == 1
    assert not any("outside" in label for label in labels) and "Reading rows (outside.json) is not there" in words(at)
    assert any(f"kd_core predict {run_id} rows.csv" in c.value for c in at.code)


def test_plain_models_and_a_model_without_a_teacher_are_offered_under_their_names(jobs):  # noqa: F811
    run_id = make_run("done", ("tiny",), result())
    folder, file = store().folder(run_id), "artifacts/plain/linear.onnx"
    found = folder.result()
    (folder.path / file).parent.mkdir(parents=True, exist_ok=True)
    (folder.path / file).write_bytes(b"plain")
    found["artifacts"]["students"][0]["arm"] = "baseline"
    gone = {"name": "plain trees", "title": "30 trees", "onnx_reason": "It can't be written."}
    found["artifacts"]["plain"] = [{"name": "plain linear", "title": "a linear model", "onnx": file}, gone]
    folder.write_result(found)
    at = open_page("runs", {"tab": str(t("runs.result.tabs_recipe"))}, run=run_id)
    labels = [b.proto.label for b in at.get("download_button")]
    assert "Plain model, a linear model (.onnx)" in labels and "tiny, trained alone: Student (.onnx)" in labels
    assert "Plain model, 30 trees (.onnx) is not there" in words(at)


def test_the_packed_file_is_offered_where_there_is_one(jobs):  # noqa: F811
    run_id = make_run("done", ("tiny", "small"), result(students=("tiny", "small")))
    folder, packed = store().folder(run_id), "artifacts/students/0.onnx.xz"
    found = folder.result()
    (folder.path / packed).parent.mkdir(parents=True, exist_ok=True)
    (folder.path / packed).write_bytes(b"packed")
    found["artifacts"]["students"][0]["compact"] = packed
    folder.write_result(found)
    at = open_page("runs", {"tab": str(t("runs.result.tabs_recipe"))}, run=run_id)
    labels = [b.proto.label for b in at.get("download_button")]
    assert [label for label in labels if "packed" in label] == ["tiny: Student, packed (.onnx.xz)"]


def test_few_files_stand_first_and_every_other_one_is_a_fold_away(jobs):  # noqa: F811
    run_id = make_run("done", ("tiny", "small"), result(students=("tiny", "small")))
    at = open_page(run=run_id)
    at.session_state["tab"] = str(t("runs.result.tabs_recipe"))
    at.switch_page("runs.py").run()
    (fold,) = [e for e in at.expander if e.label == t("runs.recipe.all_files")]
    keys = [b.key for b in at.get("download_button") if b.key.startswith("download-")]
    inside = [b.key for b in fold.get("download_button")]
    first = [k for k in keys if k not in inside]
    assert first[:2] == ["download-spec", "download-metrics"] and first[2].endswith(".onnx") and len(first) == 3
    assert {"download-curves", "download-result"} <= set(inside) and len(set(keys)) == len(keys)
    assert sum(k.endswith(".safetensors") for k in inside) == 2 and sum(k.endswith(".onnx") for k in inside) == 1


def test_curves_as_csv_hold_every_epoch(buttons):
    run_id = make_run("running")
    rows = list(csv.DictReader(io.StringIO(recipe.curves_csv(store().folder(run_id)))))
    assert len(rows) == 36 and {r["arm"] for r in rows} == {"baseline", "student"}


def test_a_list_of_2000_runs_is_drawn_a_page_at_a_time(buttons):
    from kd_core.runs.store.rows import Headline, RunRow

    runs = store()
    line = Headline("roc_auc", "higher", 0.9, "tiny", 0.89, 0.88, 0.01, 0.005, 0.015, "beats")
    rows = [
        RunRow(
            f"20260101-0000-{i:05d}",
            f"run {i}",
            "done",
            f"2026-01-01T00:00:{i:05d}",
            None,
            None,
            "visits",
            "y",
            "binary",
            "t",
            ("tiny",),
            line,
            3.0,
            False,
            "",
            "0",
            None,
        )
        for i in range(2000)
    ]
    runs.index.replace_all(rows)
    assert runs.count() == 2000 and runs.count(text="run 1999") == 1
    assert len(run_list.frame(runs.list(limit=50))) == 50


def test_the_report_of_a_finished_run_is_written_when_it_is_asked_for(jobs):  # noqa: F811
    run_id = make_run("done", ("tiny",), result(students=("tiny",)))
    at = open_page("runs", run=run_id)
    (button,) = [b for b in at.get("download_button") if b.proto.label == t("runs.head.report")]
    assert button.proto.help == t("runs.head.report_help") and not at.exception
    assert "DISTILLING HELPED" in page(store().folder(run_id))


def test_the_recipe_is_shown_as_a_command_where_options_say_all_of_it(jobs):  # noqa: F811
    run_id = make_run("done", ("tiny",), result(students=("tiny",)))
    folder = store().folder(run_id)
    told = json.loads(folder.spec_path.read_text("utf-8"))
    told["students"][0]["arch"]["settings"] = {"size": "tiny"}
    folder.spec_path.write_text(json.dumps(told), "utf-8")
    at = open_page("runs", {"tab": str(t("runs.result.tabs_recipe"))}, run=run_id)
    shown = [c.value for c in at.code]
    assert any(c.startswith("python -m kd_core distill sample:visits --target purchased") for c in shown)
    assert any(c.startswith(f"python -m kd_core run {run_id}.spec.json") for c in shown)


@pytest.mark.parametrize("state", ["failed", "interrupted", "running"])
def test_a_run_without_a_result_offers_no_report(jobs, state):  # noqa: F811
    at = open_page("runs", run=make_run(state))
    assert not [b for b in at.get("download_button") if b.proto.label == t("runs.head.report")]
