"""The task of several labels from a file to a verdict, and back from a deployed file."""

import json

import numpy as np
import pandas as pd
import pytest

from kd_core.data.preparation import prepare
from kd_core.distill import LOSSES, objective
from kd_core.distill.placebo import placebo_logits, why_none
from kd_core.registry import Situation
from kd_core.specs import Choice, DatasetSpec, TrainingSpec

NAMES = ["food", "books", "toys, games"]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 4))
    y = x[:, :3] + 0.5 * rng.normal(size=(500, 3)) > [0.0, 0.4, 0.8]
    frame = pd.DataFrame(x.round(4), columns=list("abcd"))
    frame["city"] = rng.choice([f"city {i}" for i in range(40)], 500)
    frame["tags"] = [json.dumps([n for n, v in zip(NAMES, row, strict=True) if v]) for row in y]
    path = tmp_path_factory.mktemp("labels") / "labels.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def dataset(source):
    return prepare(DatasetSpec(source=str(source), target="tags", task="multilabel"), source.parent)


def test_labels_are_rows_of_0_and_1(dataset):
    assert dataset.classes == ("books", "food", "toys, games") and dataset.num_outputs == 3
    assert dataset.train.y.shape == (len(dataset.train), 3) and dataset.train.y.dtype == np.int64
    assert set(np.unique(dataset.train.y)) == {0, 1}
    assert dataset.scaled_y("train").dtype == np.float32


def test_a_category_of_many_values_is_replaced_by_each_labels_average(dataset):
    view = dataset.view("table").view
    assert view.blocks["city"].averages.shape[1] == 3
    rest, _, held = dataset.without("table", np.arange(len(dataset.train)) % 5 == 0)
    assert rest.shape[1] == held.shape[1] == dataset.view("table").parts["train"].shape[1]


def test_balanced_weights_are_of_each_labels_no_and_yes(dataset):
    weights = objective.weights_for(dataset, TrainingSpec(class_weights="balanced"))
    yes = dataset.train.y.mean(0)
    np.testing.assert_allclose(weights, np.stack([0.5 / (1 - yes), 0.5 / yes], axis=1), rtol=1e-6)
    mean = np.where(dataset.train.y > 0, weights[:, 1], weights[:, 0]).mean(0)
    np.testing.assert_allclose(mean, 1.0, rtol=1e-5)


def test_the_placebo_smooths_each_label_as_much_as_the_teacher():
    rng = np.random.default_rng(0)
    y = (rng.random((200, 3)) < 0.4).astype(np.int64)
    z = rng.normal(size=(200, 3)) + 3 * (2 * y - 1)
    z[7] = np.nan
    lesson = Choice(name="bernoulli_kd", settings={"temperature": 2.0})
    assert why_none("multilabel", lesson) is None
    found = placebo_logits(y, z, lesson, None) / 2.0
    known = np.arange(200) != 7
    assert np.isnan(found[7]).all() and np.isfinite(found[known]).all()
    p, told = 1 / (1 + np.exp(-z / 2.0)), 1 / (1 + np.exp(-found))
    for k in range(3):
        for side in (0, 1):
            rows = known & (y[:, k] == side)
            np.testing.assert_allclose(told[rows, k], p[rows, k].mean(), rtol=1e-5)


@pytest.mark.parametrize("loss", ["hinton", "dkd", "soft_ce", "jsd"])
def test_losses_of_classes_that_exclude_each_other_are_not_offered(loss):
    assert LOSSES.get(loss).why_not(Situation("multilabel", 3)) is not None


@pytest.mark.slow
@pytest.mark.parametrize("students", [["tiny", "trees:tiny"], ["tabm:tiny", "linear"]])
def test_a_run_ends_with_a_verdict_and_every_label_told(source, tmp_path, students):
    from typer.testing import CliRunner

    from kd_core.cli.app import app

    chosen = [word for name in students for word in ("--student", name)]
    out = tmp_path / "run"
    asked = ["distill", str(source), "--target", "tags", "--seeds", "2", "--epochs", "4", "--teacher", "lightgbm"]
    done = CliRunner().invoke(app, [*asked, *chosen, "--out", str(out)])
    assert done.exit_code == 0, done.output
    result = json.loads((out / "result.json").read_text())
    assert result["metric"]["name"] == "map" and result["task"] == "multilabel"
    for student in result["students"]:
        assert student["verdict"] and len(student["labels"]) == 3 and 0 <= student["agreement"] <= 1
        assert "confusion" not in student and "teacher_top" not in student
        assert student["deployed"]["bytes"], student["deployed"]
