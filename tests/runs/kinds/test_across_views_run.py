"""A teacher that reads texts and numbers together, and students that read one of them: the usual mode does it."""

import numpy as np
import pandas as pd
import pytest

from kd_core.runs import plan
from kd_core.runs.asked import student_spec, teacher_choice
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, TrainingSpec
from tests.runs.kinds.test_text_run import carry_out

VIEWS = ("together", "ngrams", "table", "tfidf", "tokens")


def both(path, rows=600):
    """Write rows whose target needs the word and the number: each alone says little."""
    rng = np.random.default_rng(0)
    good, high = rng.random(rows) < 0.5, rng.random(rows) < 0.5
    fill = np.array(["parcel", "shop", "order", "today", "again", "price", "colour", "sizes"])
    texts = [f"{'lovely' if g else 'awful'} {' '.join(rng.choice(fill, 6))} item {i}" for i, g in enumerate(good)]
    amount = np.where(high, 8.0, 2.0) + rng.normal(size=rows)
    frame = pd.DataFrame({"review": texts, "amount": amount, "y": np.where(good & high, "yes", "no")})
    frame.to_csv(path, index=False)
    return DatasetSpec(source=str(path), target="y")


def asking(dataset, *students, teacher="fusion"):
    return RunSpec(
        dataset=dataset,
        teacher=teacher_choice(teacher, ["teacher.size=tiny", "teacher.epochs=12"]),
        students=tuple(student_spec(name) for name in students),
        objective=Choice(name="hinton"),
        training=TrainingSpec(epochs=8, seeds=2),
        evaluation=EvaluationSpec(folds=2, latency=False, references=False, placebo=False),
    )


def test_it_is_said_before_which_students_read_less(tmp_path):
    spec = asking(DatasetSpec(source="a.csv", target="y"), "bag:tiny", "fusion:tiny")
    (told,) = [p for p in plan.check(spec, "binary", 2, VIEWS, 400) if p.code == "across_views"]
    assert told.severity == "note" and "'bag:tiny' reads each row as ngrams alone" in told.message
    alike = asking(DatasetSpec(source="a.csv", target="y"), "bag:tiny", teacher="bag")
    assert not [p for p in plan.check(alike, "binary", 2, VIEWS, 400) if p.code == "across_views"]


@pytest.mark.slow
@pytest.mark.filterwarnings("default::DeprecationWarning")
def test_a_student_of_texts_learns_from_a_teacher_that_reads_the_numbers_too(tmp_path):
    found, _ = carry_out(asking(both(tmp_path / "a.csv"), "bag:tiny"), tmp_path / "run")
    (student,) = found["students"]
    taught, alone = (np.mean(block["metrics"]["log_loss"]["values"]) for block in (student, student["baseline"]))
    assert found["teacher"]["metrics"]["log_loss"] < min(taught, alone)  # what only it can read is worth something
    assert student["versus_teacher"]["log_loss"]["mean"] < 0
