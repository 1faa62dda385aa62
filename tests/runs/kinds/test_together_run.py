"""A zip of a table with texts and pictures, from the file to answers for raw rows."""

import json
import zipfile
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import kd_core
from kd_core.cli.app import app
from kd_core.data.preparation import look_at
from kd_core.data.views import foreseen
from kd_core.runs import experiment
from kd_core.runs.asked import (
    BEST,
    asked_teacher,
    make_spec,
    seeing_all,
    student_spec,
    table_spec,
    teacher_choice,
    usual_student,
)
from kd_core.runs.store.folder import RunFolder
from kd_core.scenarios import default_spec
from kd_core.scenarios.samples import write_sample
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, TrainingSpec
from pages.ui.runs.draft import presets
from pages.ui.shared.facts import Facts


def facts_of(dataset):
    """Return what the form knows of a file."""
    found = look_at(dataset)
    return Facts(
        found.num_rows, len(found.columns), foreseen(found), len(found.classes), found.classes, str(found.task)
    )


pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]


def test_a_student_of_table_texts_and_pictures_answers_raw_rows_by_one_file(tmp_path):
    path = write_sample("product_category", tmp_path, rows=240)
    spec = RunSpec(
        dataset=DatasetSpec(source=str(path), target="shelf"),
        teacher=teacher_choice("fusion", ["teacher.size=tiny", "teacher.epochs=2"]),
        students=(student_spec("fusion:tiny"),),
        objective=Choice(name="hinton"),
        training=TrainingSpec(epochs=2, seeds=2),
        evaluation=EvaluationSpec(folds=2, latency=False, references=False, placebo=False),
    )
    folder = RunFolder.create(tmp_path / "run", spec)
    result = experiment.run(spec, folder, lambda event: None, lambda: False)
    folder.finish("done", result)
    (student,) = result["students"]
    assert student["deployed"]["inputs"] == "raw rows" and student["deployed"]["apart"] < 1e-4
    assert student["baseline"]["metrics"]["accuracy"]["values"] and student["verdict"]
    opened = kd_core.load(folder.path)
    rows = folder.artifact("rows.parquet")
    kept = pd.read_parquet(rows)
    found = opened.answers(kept[list(opened.columns)])
    assert np.abs(found - opened.engine.run(kept[list(opened.columns)])[0]).max() < 1e-5

    def predicted(file):
        done = CliRunner().invoke(app, ["predict", str(folder.path), str(file)])
        assert done.exit_code == 0, done.output
        return pd.read_csv(StringIO(done.stdout))

    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "open")  # made above
    by_zip, by_names = predicted(path), predicted(tmp_path / "open" / "offers.csv")
    assert len(by_zip) == 240 and list(by_zip.columns) == ["shelf", *(f"p_{c}" for c in opened.purpose.classes)]
    shares = [name for name in by_zip.columns if name.startswith("p_")]
    assert np.abs(by_zip[shares] - by_names[shares]).to_numpy().max() < 1e-6
    (tmp_path / "open" / "photos" / "0003.webp").unlink()
    done = CliRunner().invoke(app, ["predict", str(folder.path), str(tmp_path / "open" / "offers.csv")])
    assert done.exit_code == 2 and "Row 4 names the picture 'photos/0003.webp' under 'photo'" in done.output


def test_where_nobody_is_named_a_teacher_reads_pictures_and_columns(tmp_path):
    """The usual teacher reads the table alone; whoever names one, or a setting of one, gets it."""
    path = write_sample("product_category", tmp_path, rows=60)

    def teacher(file, target, named=None, settings=None, students=None):
        usual = asked_teacher(named, settings, students, str(file), [target])
        dataset = table_spec(str(file), [target], (None, "auto", None), None, None, usual)
        return seeing_all(dataset, usual, named, settings).name

    assert teacher(path, "shelf") == teacher(path, "shelf", students=[BEST]) == "fusion"
    assert teacher(path, "shelf", named=["random_forest"]) == "random_forest"
    assert teacher(path, "shelf", named=["gradient_boosting"]) == "gradient_boosting"
    assert teacher(path, "shelf", settings=["teacher.rounds=30"]) == "gradient_boosting"
    with zipfile.ZipFile(path) as archive:
        table = pd.read_csv(archive.open("offers.csv")).drop(columns="photo")
    table.to_csv(tmp_path / "plain.csv", index=False)
    with zipfile.ZipFile(tmp_path / "plain.zip", "w") as archive:
        archive.write(tmp_path / "plain.csv", "plain.csv")
    assert teacher(tmp_path / "plain.zip", "shelf") == "gradient_boosting"


def test_where_nobody_is_named_a_student_reads_what_the_rows_hold(tmp_path):
    """Command line and form begin with the same architecture."""
    both, pictures = (write_sample(name, tmp_path, rows=60) for name in ("product_category", "product_pictures"))
    (tmp_path / "plain.csv").write_text("a,y\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(60)))
    for path, wanted in ((both, "fusion:small"), (pictures, "cnn:small"), (tmp_path / "plain.csv", "small")):
        target = {both: "shelf", pictures: default_spec("product_pictures").dataset.target}.get(path, "y")
        dataset = table_spec(str(path), [target], (None, "auto", None), None, None, Choice(name="linear"))
        assert usual_student(dataset) == wanted
        assert student_spec(wanted).arch.name == presets(facts_of(dataset))[0]["arch"]["name"]
    made = make_spec(
        table_spec(str(both), ["shelf"], (None, "auto", None), None, None, Choice(name="linear")),
        Choice(name="linear"),
        None,
        Choice(name="hinton"),
        (1, 1, 0),
    )
    assert [one.name for one in made.students] == ["fusion:small"]


def test_the_command_takes_it_without_being_told(tmp_path):
    path, out = write_sample("product_category", tmp_path, rows=160), tmp_path / "run"
    asked = ["distill", str(path), "--target", "shelf", "--student", "mlp:tiny", "--epochs", "1", "--seeds", "1"]
    done = CliRunner().invoke(app, [*asked, "--folds", "2", "--no-placebo", "--no-references", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert json.loads((out / "result.json").read_text())["teacher"]["name"] == "fusion"
