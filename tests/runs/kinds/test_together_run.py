"""A zip of a table with texts and pictures, from the file to answers for raw rows."""

import zipfile
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import kd_core
from kd_core.cli.app import app
from kd_core.runs import experiment
from kd_core.runs.asked import student_spec, teacher_choice
from kd_core.runs.store.folder import RunFolder
from kd_core.scenarios.samples import write_sample
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, TrainingSpec

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
