"""A loss that reads the teacher's inner features is one file: it trains with a network of one fit, and is refused with several folds."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.additions.test_one_file import added, nothing_else_changed, obeys, run, table

LOSS = '''"""What a student thinks inside, mapped by a projector of its own, against what the teacher thinks inside."""

from torch import nn

from kd_core.distill.base import LOSSES, LossSpec


def projector(spec, student, teacher):
    return nn.Linear(student.features.shape[1], teacher.features.shape[1])


def reference(student, teacher, labels, spec, weights):
    return ((student.features @ weights["weight"].T + weights["bias"] - teacher.features) ** 2).mean()


@LOSSES.register(
    "dummy_fitnet",
    title="Hint of the teacher's features",
    spec=LossSpec,
    source="arXiv:1412.6550",
    needs=("teacher_features", "one_basis", "student_features"),
    module=projector,
    reference=reference,
)
def dummy_fitnet(student, teacher, labels, spec, module):
    """Mean squared distance of the projected features to the teacher's."""
    return (module(student.features) - teacher.features).square().mean()
'''
FORM = """
from streamlit.testing.v1 import AppTest

def draw(teacher, folds):
    return f'''
from kd_core.distill import LOSSES
from kd_core.runs.plan import situation
from pages.ui.shared import forms
forms.part(LOSSES, situation("binary", 2, {teacher!r}, folds={folds}), "dummy_fitnet", "loss", "Method", "")
'''

for teacher, folds in (("mlp", 1), ("mlp", 5), ("gradient_boosting", 5), ("soft_labels", 5)):
    at = AppTest.from_string(draw(teacher, folds)).run(timeout=60)
    assert not at.exception, at.exception
    print(at.selectbox(key="loss").value, [m.value for m in at.markdown])
"""
TEACHER = ("--teacher", "mlp", "--set", "teacher.epochs=3", "--set", "teacher.size=tiny")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = added(tmp_path_factory.mktemp("copy"), "kd_core/distill/losses/dummy_fitnet.py", LOSS)
    table(place)
    return place


def distill(out: str, *more: str) -> list[str]:
    told = ("--target", "target", "--student", "tiny", "--epochs", "3", "--seeds", "2", "--out", out)
    return ["kd_core", "distill", "a.csv", *told, *more]


def result(place, out):
    return json.loads((place / out / "result.json").read_text())


def weights(place, out):
    return load_file(place / out / "artifacts" / "students" / "0.safetensors")


@pytest.mark.slow
def test_the_laws_know_it(place):
    obeys(place, "tests/laws/test_losses.py", "dummy_fitnet")


@pytest.mark.slow
def test_it_teaches_another_student_than_answers_do_and_its_projector_is_dropped(place):
    run(place, *distill("out-hint", *TEACHER, "--objective", "dummy_fitnet", "--folds", "1"))
    run(place, *distill("out-plain", *TEACHER, "--folds", "1"))
    hint, plain = result(place, "out-hint"), result(place, "out-plain")
    assert hint["teacher"]["folds"] == plain["teacher"]["folds"] == 1
    assert hint["teacher"]["metrics"] == plain["teacher"]["metrics"]  # the same network
    (ours,), (theirs,) = hint["students"], plain["students"]
    alone = [s["baseline"]["metrics"]["log_loss"]["values"] for s in (ours, theirs)]
    assert alone[0] == pytest.approx(alone[1], rel=1e-6)  # a stack of other sizes rounds differently
    assert ours["metrics"] != theirs["metrics"] and ours["parameters"] == theirs["parameters"]
    mine, others = weights(place, "out-hint"), weights(place, "out-plain")
    assert mine.keys() == others.keys()
    assert any(not np.array_equal(mine[name], other) for name, other in others.items())
    told = [json.loads(line) for line in (place / "out-hint" / "events.jsonl").read_text().splitlines()]
    assert [e for e in told if e["kind"] == "epoch" and e["arm"] == "student" and e["soft"] > 0]
    assert [e for e in told if e.get("code") == "in_sample"]
    assert "tiny" in run(place, "kd_core", "show", "out-hint")
    kept = [
        {p.name for p in f.iterdir()}
        for f in (place / "workspace" / "teachers").iterdir()
        if (f / "meta.json").exists()
    ]
    assert sorted("train.features.npy" in names for names in kept) == [False, True]  # kept where they were read
    run(place, *distill("out-again", *TEACHER, "--objective", "dummy_fitnet", "--folds", "1"))
    again = result(place, "out-again")
    assert again["teacher"]["cached"] and again["students"][0]["metrics"] == ours["metrics"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (TEACHER, "needs the teacher's inner features from one fit: those of several folds can't be compared"),
        (
            ("--teacher", "random_forest", "--folds", "1"),
            "needs 2 folds or more: with one it would answer the rows that it was trained on",
        ),
    ],
)
def test_it_is_refused_in_words_before_anything_is_trained(place, tmp_path, options, reason):
    command = [sys.executable, "-m", *distill(str(tmp_path / "out"), *options, "--objective", "dummy_fitnet")]
    environment = {**os.environ, "KD_WORKSPACE": str(place / "workspace"), "PYTHONPATH": str(place)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=place, env=environment, timeout=240)
    assert done.returncode == 2 and reason in " ".join(done.stderr.split())


@pytest.mark.slow
def test_the_form_offers_it_with_one_fold_and_says_why_not_otherwise(place):
    (place / "drawn.py").write_text(FORM)
    one, several, trees, given = run(place, "drawn").splitlines()
    (place / "drawn.py").unlink()
    assert one.startswith("dummy_fitnet")
    assert "from one fit" in several and not several.startswith("dummy_fitnet")
    assert all("which this teacher does not give" in said for said in (trees, given))


@pytest.mark.slow
def test_one_file_is_all(place):
    nothing_else_changed(place)
