"""Soft labels and no target: whole runs from the command line, and what they may not claim."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from kd_core.cli.app import app
from kd_core.runs import plan
from kd_core.specs import Choice
from tests.runs.tables import small_spec, write_table

pytestmark = pytest.mark.slow

runner = CliRunner()
NO_TRUTH = "No true labels: figures measure agreement with the teacher, not truth."


@pytest.fixture
def table(tmp_path):
    """A table with a teacher's answers in place of the target."""
    frame = pd.read_csv(write_table(tmp_path / "t.csv"))
    yes = 1 / (1 + np.exp(-1.5 * frame.a + 0.4 * frame.b - 0.5))
    frame.drop(columns="target").assign(p_no=1 - yes, p_yes=yes).to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


def call(command, table, *more, columns="p_no,p_yes"):
    asked = [command, str(table), "--teacher", "soft_labels", "--set", f"teacher.columns={columns}"]
    return runner.invoke(app, [*asked, "--epochs", "3", "--seeds", "2", "--student", "mlp:4x1", *more])


def test_answers_without_a_target_are_distilled_and_every_verdict_says_what_it_measures(table, tmp_path):
    done = call("distill", table, "--out", str(tmp_path / "run"))
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(NO_TRUTH) and "the baseline learns from these labels alone" in done.stdout
    assert "Against the teacher" not in done.stdout and "gap closed" not in done.stdout
    assert "; no comparison with the teacher, whose answers the labels are; " in done.stdout
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["dataset"]["answer_columns"] == ["p_no", "p_yes"]
    assert NO_TRUTH in [p["message"] for p in result["problems"]]
    student = result["students"][0]
    assert (student["alpha"], student["versus_teacher"], result["room"]) == (1.0, {}, [])
    assert {*student["gap_closed"].values(), *result["teacher"]["metrics"].values()} == {None}
    assert student["agreement"] == pytest.approx(student["metrics"]["accuracy"]["mean"])  # the labels are the teacher's
    assert student["placebo"] is not None and result["dataset"]["classes"] == ["no", "yes"]
    events = [json.loads(line) for line in (tmp_path / "run" / "events.jsonl").read_text().splitlines()]
    assert "room" not in {e["kind"] for e in events} and "no_true_labels" in {e.get("code") for e in events}
    again = runner.invoke(app, ["run", str(tmp_path / "run" / "spec.json"), "--out", str(tmp_path / "again")])
    assert again.exit_code == 0, again.output
    assert json.loads((tmp_path / "again" / "result.json").read_text())["students"][0]["gain"] == student["gain"]


def test_a_single_number_is_learned_as_it_is(table, tmp_path):
    done = call("distill", table, "--out", str(tmp_path / "run"), columns="p_yes")
    assert done.exit_code == 0, done.output
    assert NO_TRUTH in done.stdout and "a tie is to be expected" in done.stdout
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["task"] == "regression"


def test_a_what_if_of_temperatures_says_it_too(table, tmp_path):
    done = call("sweep", table, "--temperature", "1,4", "--out", str(tmp_path / "run"))
    assert done.exit_code == 0, done.output
    assert NO_TRUTH in done.stdout
    assert json.loads((tmp_path / "run" / "result.json").read_text())["room"] == []


def test_a_lesson_of_labels_is_refused_and_without_answers_a_target_is_asked_for(table):
    done = call("distill", table, "--alpha", "0.5")
    assert done.exit_code == 2 and "Alpha 0.5 gives a share of the lesson to labels" in done.stderr
    assert "Set alpha to 1, or name a target." in done.stderr
    done = runner.invoke(app, ["distill", str(table)])
    assert done.exit_code == 2 and "does not say which column is to be predicted" in done.stderr
    done = runner.invoke(app, ["distill", str(table), "--teacher", "soft_labels"])
    assert done.exit_code == 2 and "does not say which column is to be predicted" in done.stderr


def test_several_teachers_do_not_make_labels_and_it_is_said_why():
    one = {"name": "soft_labels", "settings": {"columns": ["p_no", "p_yes"]}}
    two = {"name": "soft_labels", "settings": {**one["settings"], "form": "logits"}}
    spec = small_spec("t.csv")
    asked = {
        "dataset": spec.dataset.model_copy(update={"answer_columns": ("p_no", "p_yes")}),
        "teacher": Choice(name="ensemble", settings={"members": [one, two]}),
        "objective": Choice(name="hinton", settings={"alpha": 1.0}),
    }
    (found,) = [p for p in plan.check(spec.model_copy(update=asked), "binary", 2) if p.severity == "error"]
    assert found.code == "answers_of_several"
    assert "made from the answers in p_no, p_yes, and 'ensemble' asks 2 teachers" in found.message
    assert found.hint.startswith("Name a target; or write the mean of all their answers into these columns")
