"""A run of several targets, end to end: every target has its verdict, and files answer all of them alike."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from kd_core.export.raw_session import RawStudent
from kd_core.runs import experiment
from kd_core.runs.cells.tasks_inside import lines
from kd_core.runs.exporting import exporting
from kd_core.runs.predictor import load
from kd_core.runs.store.folder import RunFolder
from kd_core.serving.answering import told
from kd_core.serving.openapi import document
from kd_core.serving.served import open_served
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, StudentSpec, TrainingSpec

pytestmark = pytest.mark.slow
NAMES = ["bought", "minutes", "shop"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("targets")
    rng, n = np.random.default_rng(0), 400
    a, b = rng.normal(size=n), rng.normal(size=n)
    shop = np.array(["north", "south", "west"])[np.digitize(a + b, [-0.7, 0.7])]
    frame = pd.DataFrame(
        {
            "a": a.round(4),
            "b": b.round(4),
            "bought": np.where(a + 0.5 * rng.normal(size=n) > 0, "yes", "no"),
            "minutes": (400 + 9 * b + rng.normal(size=n)).round(3),
            "shop": pd.Series(shop).where(rng.random(n) > 0.1),
        }
    )
    frame.to_csv(place / "t.csv", index=False)
    spec = RunSpec(
        dataset=DatasetSpec(source=str(place / "t.csv"), target=NAMES[0], more_targets=tuple(NAMES[1:])),
        teacher=Choice(
            name="ensemble",
            settings={
                "members": [{"name": "linear"}, {"name": "random_forest", "settings": {"trees": 20}}],
                "combine": "per_task",
                "classes": ["minutes:1"],
            },
        ),
        students=(StudentSpec(name="small", arch=Choice(name="mlp", settings={"size": "tiny"})),),
        objective=Choice(name="by_task"),
        training=TrainingSpec(epochs=60, seeds=3),
        evaluation=EvaluationSpec(folds=2, latency=False, references=True),
    )
    folder = RunFolder.create(place / "run", spec)
    result = experiment.run(spec, folder, lambda event: None, lambda: False)
    folder.finish("done", result)
    return folder, result, frame


def test_every_target_has_its_metrics_gain_and_word(run):
    _, result, frame = run
    json.dumps(result, allow_nan=False)
    tasks = result["students"][0]["tasks"]
    assert [(t["name"], t["metric"]) for t in tasks] == [
        ("bought", "roc_auc"),
        ("minutes", "rmse"),
        ("shop", "accuracy"),
    ]
    for one in tasks:
        assert {"teacher", "baseline", "student"} <= set(one["metrics"]) and one["verdict"]
        narrow, wide = one["gain"]["ci95"], one["ci_family"]
        assert wide[0] < narrow[0] < one["gain"]["mean"] < narrow[1] < wide[1]
    assert tasks[2]["rows"] < tasks[0]["rows"] == result["dataset"]["rows"]["test"]
    assert "sides" not in tasks[1] and np.sum(tasks[0]["sides"]["student"]["confusion"]) == tasks[0]["rows"]
    assert tasks[1]["metrics"]["student"]["rmse"]["mean"] < 0.7 * frame["minutes"].std()  # in the target's own unit
    said = lines(result["students"][0])
    assert len(said) == 4 and all(name in line for name, line in zip(NAMES, said, strict=False))


def test_of_each_target_one_teacher_is_heard(run):
    _, result, _ = run
    (note,) = [n for n in result["teacher"]["notes"] if n["code"] == "ensemble_tasks"]
    assert "minutes: 1 linear" in note["message"] and "bought: " in note["message"]


def test_predictions_have_a_column_for_each_target(run):
    folder, _, frame = run
    predictor, rows = load(folder.path), frame[["a", "b"]]
    found = predictor.predict(rows)
    assert list(found) == [
        *("bought", "p_bought: no", "p_bought: yes", "minutes", "shop"),
        *(f"p_shop: {c}" for c in ("north", "south", "west")),
    ]
    assert set(found["bought"]) == {"no", "yes"} and abs(found["minutes"].mean() - 400) < 5
    np.testing.assert_allclose(found["p_bought: no"] + found["p_bought: yes"], 1, rtol=1e-5)
    assert np.corrcoef(found["minutes"], frame["minutes"])[0, 1] > 0.7
    alone = predictor.answer(rows.iloc[3].to_dict())
    assert alone["shop"] == found["shop"][3] and alone["minutes"] == pytest.approx(found["minutes"][3])
    engine = predictor.engine.run(rows)[0]
    assert isinstance(predictor.deployed, RawStudent)
    np.testing.assert_allclose(predictor.deployed.run(rows)[0], engine, rtol=1e-4, atol=1e-4)


def test_plain_models_of_its_size_answer_every_target(run):
    folder, result, frame = run
    kept = [p["name"] for p in result["artifacts"]["plain"]]
    assert kept and all("bought" in load(folder.path, n).predict(frame[["a", "b"]].head(3)) for n in kept)


def test_a_bundle_answers_as_the_app_does(run, tmp_path):
    folder, _, frame = run
    out = tmp_path / "bundle.zip"
    exporting.export(folder.path, "bundle", out)
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(out), str(tmp_path / "b")], check=True)
    frame[["a", "b"]].head(4).to_csv(tmp_path / "rows.csv", index=False)
    done = subprocess.run(
        [sys.executable, "predict.py", str(tmp_path / "rows.csv")],
        cwd=tmp_path / "b",
        capture_output=True,
        text=True,
        check=True,
    )
    rows, wanted = (
        [json.loads(line) for line in done.stdout.splitlines()],
        load(folder.path).predict(frame[["a", "b"]].head(4)),
    )
    assert [r["shop"] for r in rows] == list(wanted["shop"])
    np.testing.assert_allclose([r["minutes"] for r in rows], wanted["minutes"])
    card = (tmp_path / "b" / "CARD.md").read_text("utf-8")
    assert "bought: one of 2 classes (no, yes); minutes: a number; shop: one of 3 classes" in card
    assert "| minutes | rmse |" in card


def test_a_service_answers_each_target_by_its_name(run):
    served = open_served(str(run[0].path))
    (answer,) = told(served.run([run[2].iloc[0].to_dict()])[0], served)
    assert set(answer["answer"]) == set(NAMES) and set(answer["probabilities"]) == {"bought", "shop"}
    schema = document(served)["components"]["schemas"]["Answer"]["properties"]
    assert schema["answer"]["properties"]["minutes"] == {"type": "number"}
    assert schema["answer"]["properties"]["shop"]["enum"] == ["north", "south", "west"]
