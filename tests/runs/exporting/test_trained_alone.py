"""A student that its teacher hurt: the run keeps the same one trained alone, and everything that opens models can open it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kd_core import load
from kd_core.runs import experiment
from kd_core.runs.exporting.card import card_of
from kd_core.runs.store.folder import MODEL, RunFolder
from kd_core.runs.timing.listed import listed
from kd_core.runs.view import report
from kd_core.specs import Choice
from kd_core.teachers import kept_models
from tests.runs.tables import small_spec, write_table

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["wrong", "right"])
def made(request, tmp_path_factory):
    """A finished run whose teacher says the opposite of the labels, or what they say."""
    place = tmp_path_factory.mktemp(request.param)
    path = write_table(place / "t.csv", rows=900)
    table = pd.read_csv(path)
    yes = table["target"] == "yes"
    table["says"] = np.where(yes if request.param == "right" else ~yes, 0.9, 0.1)
    table.to_csv(path, index=False)
    spec = small_spec(path, epochs=12, seeds=3).model_copy(
        update={
            "teacher": Choice(name="soft_labels", settings={"columns": ["says"]}),
            "objective": Choice(name="hinton", settings={"temperature": 1.0, "alpha": 1.0}),
        }
    )
    folder = RunFolder.create(place / "run", spec)
    found = experiment.run(spec, folder, lambda event: None, lambda: False)
    folder.finish("done", found)
    return request.param, folder, found, table


def test_the_one_trained_alone_has_its_file_only_where_the_teacher_hurt(made):
    kind, folder, found, _ = made
    (student,) = found["students"]
    assert (student["verdict"] == "hurts") == (kind == "wrong")
    kept = found["artifacts"].get("alone", [])
    assert [one["name"] for one in kept] == (["alone tiny"] if kind == "wrong" else [])
    assert folder.read(MODEL).get("alone", []) == kept
    assert kept_models.open_folder(folder.path, "alone tiny" if kept else "tiny").open()
    assert len(listed(folder)) == 3  # teacher, baseline, student: it is the baseline already
    said = "\n".join(report.verdict_lines(found))
    assert ("'alone tiny'" in said) == (kind == "wrong")


def test_it_answers_rows_as_well_as_the_baseline_did(made):
    kind, folder, found, table = made
    if kind == "right":
        return
    (student,) = found["students"]
    rows = pd.read_parquet(folder.path / "artifacts" / "rows.parquet")[["a", "b", "kind"]]
    ids = np.load(folder.path / "artifacts" / "soft_labels.npz")["row_ids"]
    truth = table["target"][ids].to_numpy()
    right = {
        name: np.mean(load(folder.path, name).predict(rows).iloc[:, 0] == truth) for name in ("tiny", "alone tiny")
    }
    values = student["baseline"]["metrics"]["accuracy"]["values"]
    assert min(values) - 1e-9 <= right["alone tiny"] <= max(values) + 1e-9
    assert right["alone tiny"] > right["tiny"]
    model = load(folder.path, "alone tiny")
    card = card_of(folder, model.student, model.purpose)
    assert card["taught"] is False and card["metrics"] == student["baseline"]["metrics"]
    assert card["size_bytes"] == len((folder.path / model.student["onnx"]).read_bytes())
