"""Real pictures: some hundred of a published set, from a zip of class folders to a student and its verdict."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.pictures import idx, pack
from kd_core.data.files.reading import read_table
from kd_core.data.pictures.column import pixels_of
from kd_core.data.profile import profile_table
from kd_core.runs import experiment
from kd_core.runs.asked import student_spec, teacher_choice
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, TrainingSpec

pytestmark = [pytest.mark.data, pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]
ROWS = 600


@pytest.fixture(scope="module")
def folder(real_data):
    return real_data("fashion_mnist/train-images-idx3-ubyte.gz").parent


@pytest.fixture(scope="module")
def packed(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("real") / "pictures.zip"
    assert pack(folder, path, ROWS) == ROWS
    return path


def test_every_pixel_arrives_under_its_class(folder, packed):
    table = read_table(packed)
    labels = idx(folder / "train-labels-idx1-ubyte.gz")[:ROWS]
    pixels = idx(folder / "train-images-idx3-ubyte.gz")[:ROWS]
    order = np.argsort(labels, kind="stable")
    assert table.frame["class"].tolist() == [str(label) for label in labels[order]]
    assert np.array_equal(pixels_of(table.frame["picture"])[:, :, :, 0], pixels[order])
    found = profile_table(table)
    assert (found.task, len(found.classes)) == ("multiclass", 10)


def test_a_run_from_the_zip_ends_with_a_verdict(packed, tmp_path):
    spec = RunSpec(
        dataset=DatasetSpec(source=str(packed), target="class"),
        teacher=teacher_choice("cnn", ["teacher.size=small", "teacher.epochs=8", "teacher.learning_rate=0.005"]),
        students=(student_spec("cnn:tiny"),),
        objective=Choice(name="hinton"),
        training=TrainingSpec(epochs=4, seeds=2, learning_rate=0.01),
        evaluation=EvaluationSpec(folds=2, latency=False, references=False),
    )
    result = experiment.run(spec, RunFolder.create(tmp_path / "run", spec), lambda event: None, lambda: False)
    assert result["teacher"]["metrics"]["accuracy"] > 0.5  # chance is 0.1
    assert result["students"][0]["verdict"]
