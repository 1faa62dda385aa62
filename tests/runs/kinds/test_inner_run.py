"""Lessons of what a teacher thinks inside, from the file to the result: features of one fit and of folds, attention in pictures."""

import numpy as np
import pytest
from safetensors.numpy import load_file
from typer.testing import CliRunner

from kd_core.cli.app import app
from kd_core.runs import experiment
from kd_core.runs.asked import student_spec, teacher_choice
from kd_core.runs.outcome import read_outcome
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, StudentSpec, TrainingSpec
from tests.data.pictures.zips import shapes, zipped
from tests.runs.tables import small_spec, write_table

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]
MLP = Choice(name="mlp", settings={"size": "small", "epochs": 4})


def table_spec(place, objective, folds, task="binary"):
    spec = small_spec(write_table(place / "t.csv", task), task)
    evaluation = spec.evaluation.model_copy(update={"folds": folds})
    return spec.model_copy(update={"teacher": MLP, "objective": objective, "evaluation": evaluation})


def picture_spec(place, objective):
    return RunSpec(
        dataset=DatasetSpec(source=str(zipped(place / "shapes.zip", shapes(60, colour=True))), target="class"),
        teacher=teacher_choice("cnn", ["teacher.size=small", "teacher.epochs=4"]),
        students=(student_spec("resnet:tiny"),),
        objective=objective,
        training=TrainingSpec(epochs=3, seeds=2),
        evaluation=EvaluationSpec(folds=2, latency=False, references=False),
    )


def carry_out(spec, path):
    folder = RunFolder.create(path, spec)
    events = []
    result = experiment.run(spec, folder, events.append, lambda: False)
    return result, load_file(path / "artifacts" / "students" / "0.safetensors"), events


def cells(result):
    """Scores of the arms, seed by seed."""
    (student,) = result["students"]
    metric = "rmse" if result["task"] == "regression" else "log_loss"
    return [arm["metrics"][metric]["values"] for arm in (student, student["baseline"], student["placebo"])]


@pytest.mark.parametrize(("name", "folds"), [("fitnets", 1), ("sp", 2), ("crd", 1)])
def test_a_student_of_tables_learns_by_features(tmp_path, name, folds):
    result, weights, events = carry_out(table_spec(tmp_path, Choice(name=name), folds), tmp_path / "run")
    _, alone, _ = carry_out(table_spec(tmp_path, Choice(name=name, settings={"alpha": 0.0}), folds), tmp_path / "alone")
    assert weights.keys() == alone.keys()  # nothing of the loss goes home
    assert any(not np.array_equal(weights[n], alone[n]) for n in weights)
    assert [e for e in events if e["kind"] == "epoch" and e["arm"] == "student" and e["soft"] > 0]
    taught, baseline, placebo = cells(result)
    assert len(taught) == len(baseline) == len(placebo) == 2 and placebo != taught
    assert read_outcome(result).students[0].placebo.of == "rows"


def test_a_number_is_learned_by_features_too_and_has_its_placebo(tmp_path):
    result, _, _ = carry_out(table_spec(tmp_path, Choice(name="rkd"), 2, "regression"), tmp_path / "run")
    taught, _, placebo = cells(result)
    assert np.isfinite([*taught, *placebo]).all() and taught != placebo


def test_a_student_of_pictures_learns_where_to_look_from_folds(tmp_path):
    spec = picture_spec(tmp_path, Choice(name="at"))
    result, weights, _ = carry_out(spec, tmp_path / "run")
    _, plain, _ = carry_out(spec.model_copy(update={"objective": Choice(name="hinton")}), tmp_path / "plain")
    assert weights.keys() == plain.keys() and any(not np.array_equal(weights[n], plain[n]) for n in weights)
    taught, _, placebo = cells(result)
    assert taught != placebo
    again, _, _ = carry_out(spec, tmp_path / "again")
    assert again["teacher"]["cached"] and cells(again) == cells(result)  # the kept maps are those it gave


def test_on_a_command_line(tmp_path):
    table = write_table(tmp_path / "t.csv")
    asked = ["distill", str(table), "--target", "target", "--student", "tiny", "--epochs", "2", "--seeds", "2"]
    teacher = ["--teacher", "mlp", "--set", "teacher.size=tiny", "--set", "teacher.epochs=3", "--folds", "2"]
    told = ["--objective", "sp", "--set", "objective.weight=100"]
    done = CliRunner().invoke(app, [*asked, *teacher, *told, "--out", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    assert "over the same student on its lessons with the rows mixed up" in " ".join(done.stdout.split())
    for more, reason in (
        (["--teacher", "random_forest", "--objective", "sp"], "inner features, which this teacher does not give"),
        ([*teacher, "--objective", "fitnets"], "those of several folds can't be compared with each other"),
        ([*teacher, "--objective", "at"], "convolutional network that reads pictures, and this teacher is none"),
    ):
        refused = CliRunner().invoke(app, [*asked, *more, "--out", str(tmp_path / "no")])
        assert refused.exit_code == 2 and reason in " ".join(refused.output.split())


@pytest.mark.parametrize("folds", [1, 2])
def test_a_teachers_network_reviews_beside_the_student(tmp_path, folds):
    spec = picture_spec(tmp_path, Choice(name="review"))
    spec = spec.model_copy(update={"evaluation": spec.evaluation.model_copy(update={"folds": folds})})
    result, weights, _ = carry_out(spec, tmp_path / "run")
    _, plain, _ = carry_out(spec.model_copy(update={"objective": Choice(name="hinton")}), tmp_path / "plain")
    assert weights.keys() == plain.keys() and any(not np.array_equal(weights[n], plain[n]) for n in weights)
    taught, baseline, placebo = cells(result)
    assert len({tuple(x) for x in (taught, baseline, placebo)}) == 3
    again, _, _ = carry_out(spec, tmp_path / "again")
    assert again["teacher"]["cached"] and cells(again) == cells(result)  # the kept weights are those it had


def text_spec(place, objective, **more):
    rng, words = np.random.default_rng(0), [f"w{i}" for i in range(40)]
    rows = ["text,target"]
    for number in range(240):
        kind = number % 2
        drawn = rng.choice(words[20 * kind : 20 * kind + 24], 6)
        rows.append(f"{' '.join(drawn)} {number},{'yes' if kind else 'no'}")
    (place / "texts.csv").write_text("\n".join(rows))
    return RunSpec(
        dataset=DatasetSpec(source=str(place / "texts.csv"), target="target", kinds={"text": "text"}),
        teacher=teacher_choice("text_transformer", ["teacher.size=small", "teacher.epochs=3"]),
        students=(student_spec("text_transformer:tiny"),),
        objective=objective,
        training=TrainingSpec(epochs=3, seeds=2),
        evaluation=EvaluationSpec(folds=2, latency=False, references=False),
        **more,
    )


def test_words_are_related_as_in_the_teacher(tmp_path):
    spec = text_spec(tmp_path, Choice(name="minilm"))
    result, weights, events = carry_out(spec, tmp_path / "run")
    _, plain, _ = carry_out(spec.model_copy(update={"objective": Choice(name="hinton")}), tmp_path / "plain")
    assert weights.keys() == plain.keys() and any(not np.array_equal(weights[n], plain[n]) for n in weights)
    assert [e for e in events if e["kind"] == "epoch" and e["arm"] == "student" and e["soft"] > 0]
    taught, baseline, placebo = cells(result)
    assert len({tuple(x) for x in (taught, baseline, placebo)}) == 3


def test_a_student_of_the_teachers_blocks_hears_its_relations_and_the_baseline_does_not(tmp_path):
    own = {"size": None, "width": 32, "depth": 1}
    more = {"mode": Choice(name="feature_reuse", settings={"blocks": "every"})}
    spec = text_spec(tmp_path, Choice(name="minilm"), **more)
    spec = spec.model_copy(
        update={"students": (StudentSpec(name="one", arch=Choice(name="text_transformer", settings=own)),)}
    )
    result, _, events = carry_out(spec, tmp_path / "run")
    plain, _, _ = carry_out(spec.model_copy(update={"mode": Choice(name="offline")}), tmp_path / "plain")
    assert [e for e in events if e["kind"] == "epoch" and e["arm"] == "student" and e["soft"] > 0]
    assert result["mode"]["settings"] == {"blocks": "every"}
    (one,), (other,) = result["students"], plain["students"]
    assert one["baseline"]["metrics"]["log_loss"]["values"] == other["baseline"]["metrics"]["log_loss"]["values"]
    assert one["metrics"]["log_loss"]["values"] != other["metrics"]["log_loss"]["values"]


def test_a_lesson_of_both_has_a_placebo_of_both(tmp_path):
    terms = [{"name": "hinton", "settings": {"temperature": 3.0}}, {"name": "sp", "weight": 100.0}]
    lesson = Choice(name="several", settings={"hard": 1.0, "terms": terms})
    result, _, events = carry_out(table_spec(tmp_path, lesson, 2), tmp_path / "run")
    taught, baseline, placebo = cells(result)
    assert len({tuple(x) for x in (taught, baseline, placebo)}) == 3
    found = read_outcome(result).students[0].placebo
    assert found.of == "both"
    shares = [e["shares"] for e in events if e["kind"] == "epoch" and e["arm"] == "placebo" and "shares" in e]
    assert shares and all({"hinton", "sp"} <= set(one) for one in shares)
