"""What students are taught, typed: one loss as before, several with weights, and what is not understood."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from kd_core.cli.app import app
from kd_core.cli.asked_lesson import lesson, of_lesson, of_others
from kd_core.errors import SpecError, UnknownName
from kd_core.specs import Choice, DatasetSpec
from tests.runs.tables import write_table

runner = CliRunner()
SEVERAL = ["--objective", "mse:0.5", "--objective", "bounded_mse:.2", "--set", "objective.hard=.3"]


def test_one_loss_is_written_as_before():
    assert lesson(["hinton"], None) == Choice(name="hinton", settings={"temperature": 2.0, "alpha": 0.7})
    assert lesson(["mse"], None, None, 0.2).to_json() == '{"name":"mse","settings":{"alpha":0.2}}'
    made = DatasetSpec(source="x", target="y", answer_columns=("a", "b"))
    assert lesson(["mse"], None, dataset=made).settings == {"alpha": 1.0}


def test_one_loss_takes_settings_of_its_own():
    found = lesson(["bounded_mse"], ["teacher.trees=3", "objective.margin=.25", "objective.alpha=.4"])
    assert found.settings == {"alpha": 0.4, "margin": 0.25}


def test_several_have_weights_settings_and_schedules():
    asked = [
        "objective.hinton.temperature=8",
        "objective.hard=.3",
        "objective.hinton.schedule=warm_up",
        "objective.hinton.schedule.epochs=5",
        "objective.hinton.temperature_schedule.to=2",
        "objective.hinton.temperature_schedule=cosine",
    ]
    found = lesson(["hinton:0.5", "mse"], asked, temperature=4.0)
    assert found.name == "several" and found.settings["hard"] == 0.3
    soft, plain = found.settings["terms"]
    assert soft["weight"] == 0.5 and soft["settings"] == {"temperature": 8}
    assert (soft["schedule"]["kind"], soft["schedule"]["epochs"]) == ("warm_up", 5)
    assert (soft["temperature_schedule"]["kind"], soft["temperature_schedule"]["to"]) == ("cosine", 2.0)
    assert plain == {"name": "mse", "weight": 1.0, "settings": {}}


def test_a_lesson_without_true_labels_has_no_hard_weight():
    made = DatasetSpec(source="x", target="y", answer_columns=("a", "b"))
    assert lesson(["mse:1", "bounded_mse:1"], None, dataset=made).settings["hard"] == 0.0
    assert lesson(["hinton"], None, dataset=made).settings["alpha"] == 1.0


def test_a_loss_without_alpha_gets_none_and_takes_none():
    made = DatasetSpec(source="x", target="y", answer_columns=("a", "b"))
    assert lesson(["simkd"], None, dataset=made).settings == lesson(["simkd"], None).settings == {}
    assert lesson(["simkd:2", "hinton"], None).settings["terms"][0] == {"name": "simkd", "weight": 2.0, "settings": {}}
    with pytest.raises(SpecError, match="alpha"):
        lesson(["simkd"], None, alpha=0.5)


def test_settings_are_sorted_by_whom_they_are_for():
    asked = ["teacher.trees=3", "objective.alpha=.5"]
    assert of_lesson(asked) == asked[1:] and of_others(asked) == asked[:1]
    assert of_lesson(None) == of_others(None) == []


@pytest.mark.parametrize(
    ("losses", "asked", "alpha", "said"),
    [
        (["mse:1", "bounded_mse:1"], [], 0.5, "Alpha 0.5 does not say how several terms share the lesson"),
        (["mse:much"], [], None, "The weight in 'mse:much' is not a number"),
        (["mse:1"], ["objective.margin=1"], None, "objective.margin belongs to none of the terms mse"),
        (["mse:1", "hinton:1"], ["objective.hinton=4"], None, "'objective.hinton=4' is not understood"),
        (["mse:1"], ["objective.=4"], None, "'objective.=4' is not understood"),
        (["mse"], ["objective.alpha"], None, "'objective.alpha' is not understood"),
        (["mse"], ["objective.margin=1"], None, "margin: Extra inputs are not permitted"),
        (["hinton:1"], ["objective.hinton.temperature=90"], None, "temperature: Input should be less than"),
    ],
)
def test_what_is_not_understood_is_said(losses, asked, alpha, said):
    with pytest.raises(SpecError) as error:
        lesson(losses, asked, None, alpha)
    assert said in error.value.message and error.value.hint


def test_an_unknown_term_has_a_neighbour():
    with pytest.raises(UnknownName, match="no loss 'hintn'"):
        lesson(["hintn:1"], None)


@pytest.mark.slow
def test_a_run_of_two_terms_ends_with_its_shares(tmp_path):
    data = write_table(tmp_path / "t.csv", "regression")
    more = ["--epochs", "3", "--seeds", "2", "--folds", "2", "--student", "tiny", "--no-references"]
    more += ["--set", "teacher.rounds=10"]
    asked = ["distill", str(data), "--target", "target", *SEVERAL, *more, "--out", str(tmp_path / "run")]
    done = runner.invoke(app, asked)
    assert done.exit_code == 0, done.output
    spec = json.loads((tmp_path / "run" / "spec.json").read_text())
    assert [t["name"] for t in spec["objective"]["settings"]["terms"]] == ["mse", "bounded_mse"]
    (student,) = json.loads((tmp_path / "run" / "result.json").read_text())["students"]
    assert student["objective"] == "several" and student["alpha"] is None
    assert sum(student["shares"].values()) == pytest.approx(1) and set(student["shares"]) == {
        "labels",
        "mse",
        "bounded_mse",
    }
    assert "Of what moved the student" in done.output


def test_a_term_that_does_not_fit_is_refused_before_training(tmp_path):
    data = write_table(tmp_path / "t.csv", "multiclass")
    done = runner.invoke(app, ["distill", str(data), "--target", "target", *SEVERAL])
    assert done.exit_code == 2 and "The loss 'bounded_mse' works for" in done.stderr and "Traceback" not in done.output


@pytest.mark.slow
def test_a_what_if_compares_losses_and_stacks_those_whose_gradient_is_written(tmp_path):
    data = write_table(tmp_path / "t.csv", "multiclass")
    more = [
        "--alpha",
        "0,.6",
        "--temperature",
        "2,4",
        "--seeds",
        "2",
        "--epochs",
        "2",
        "--folds",
        "2",
        "--student",
        "tiny",
        "--set",
        "teacher.rounds=10",
    ]
    losses = ["--objective", "hinton", "--objective", "dkd"]
    asked = ["sweep", str(data), "--target", "target", *losses, *more, "--out", str(tmp_path / "run")]
    done = runner.invoke(app, asked)
    assert done.exit_code == 0, done.output
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert [(s["name"], s["objective"]) for s in result["students"]] == [("tiny hinton", "hinton"), ("tiny dkd", "dkd")]
    cells = {(c["student"], c["alpha"], c["temperature"]): c["baseline"] for c in result["cells"]}
    assert len(cells) == 8 and cells["tiny hinton", 0.6, 2.0] == cells["tiny dkd", 0.6, 4.0]
    assert result["sweep"]["mode"] == "fused" and result["sweep"]["trainings"] == 2 * (1 + 2 + 2)


@pytest.mark.parametrize(
    ("command", "more", "said"),
    [
        ("sweep", ["--objective", "hinton", "--objective", "dkd:0.5"], "'dkd:0.5' belongs to a sum of terms"),
        ("sweep", ["--objective", "hinton", "--objective", "dkkd"], "no loss 'dkkd'"),
        ("sweep", ["--objective", "hinton", "--objective", "bounded_mse"], "The loss 'bounded_mse' works for"),
    ],
)
def test_what_a_what_if_of_losses_cannot_be_is_said(tmp_path, command, more, said):
    data = write_table(tmp_path / "t.csv", "multiclass")
    done = runner.invoke(app, [command, str(data), "--target", "target", *more])
    assert done.exit_code == 2 and said in done.stderr and "Traceback" not in done.output
