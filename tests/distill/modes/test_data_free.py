"""Without a training row: rows made up of columns' histograms, what the teacher says of them, and who chooses."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from kd_core.data.preparation import prepare
from kd_core.distill import MODES
from kd_core.distill.beside import made_up
from kd_core.distill.made_lesson import MadeLesson
from kd_core.distill.meeting import Lesson, Way
from kd_core.errors import SpecError
from kd_core.evaluate import METRICS
from kd_core.runs import assessment, plan
from kd_core.runs.cells import modes
from kd_core.runs.view import mode_words
from kd_core.specs import SEVERAL, Choice
from tests.distill.test_student import TRAINING, same
from tests.runs.tables import TINY, small_spec, write_table
from tests.runs.test_experiment import carry_out

FREE = MODES.get("data_free")


@pytest.fixture(scope="module", params=["binary", "regression"])
def dataset(request, tmp_path_factory):
    return prepare(
        small_spec(write_table(tmp_path_factory.mktemp("t") / "a.csv", request.param), request.param).dataset
    )


def lesson_of(dataset, seed=0):
    rows = FREE.facts["rows"](FREE.spec(), dataset, 2, seed)
    x = dataset.view().view.encode(rows.frame)
    z = 2 * x[:, :1]
    answers = np.concatenate([-z, z], 1) if dataset.task == "binary" else z
    taught = Choice(name="hinton" if dataset.task == "binary" else "mse", settings={"alpha": 1.0})
    unread = np.full((len(dataset.train), answers.shape[1]), np.nan, np.float32)
    return Lesson(dataset, TINY, taught, unread, TRAINING, made=MadeLesson(rows, answers.astype(np.float32), 1))


def test_rows_are_made_of_each_column_by_itself(dataset):
    rows, learned, held = (
        FREE.facts["rows"](FREE.spec(rows=4), dataset, 2, 0),
        4 * len(dataset.train),
        len(dataset.validation),
    )
    assert len(rows.frame) == learned + held == rows.count(1) and rows.held == held
    real = dataset.rows[list(rows.frame)].iloc[dataset.train.row_ids]
    for name in ("a", "b"):
        made = rows.frame[name].to_numpy(float)
        assert real[name].min() <= made.min() and made.max() <= real[name].max()
        assert np.quantile(made, [0.25, 0.5, 0.75]) == pytest.approx(real[name].quantile([0.25, 0.5, 0.75]), abs=0.15)
    shares = rows.frame["kind"].value_counts(normalize=True) - real["kind"].value_counts(normalize=True)
    assert shares.abs().max() < 0.06
    assert not set(map(tuple, rows.frame.to_numpy())) & set(map(tuple, real.to_numpy()))
    again, other = (FREE.facts["rows"](FREE.spec(rows=4), dataset, 2, seed) for seed in (0, 1))
    assert rows.digest == again.digest != other.digest
    assert sorted(np.unique(rows.fold)) == [0, 1] and f"{held:,} of them choose the epoch" in rows.note()["message"]


def test_counts_stay_counts_and_empty_cells_are_as_many():
    rng = np.random.default_rng(0)
    column = pd.Series([1.0, 2.0, 3.0, np.nan] * 50)
    made = made_up._drawn(column, "number", 4000, rng)
    assert set(made.dropna()) <= {1.0, 2.0, 3.0} and made.isna().mean() == pytest.approx(0.25, abs=0.03)
    days = pd.Series(pd.to_datetime(["2024-01-01", "2024-03-01", None] * 20))
    drawn = made_up._drawn(days, "datetime", 300, rng)
    assert drawn.dtype == days.dtype and drawn.isna().any()
    assert days.min() <= drawn.min() and drawn.max() <= days.max()


def test_no_training_row_and_no_label_decides_the_student(dataset):
    """Other targets and other rows, with the same histograms: the student stays the same, bit for bit."""
    lesson = lesson_of(dataset)
    first = FREE.make(FREE.spec(), lesson, Way(3)).student
    shuffled = np.random.default_rng(1).permutation(dataset.train.y)
    parts = {**dataset.parts, "train": replace(dataset.train, y=shuffled)}
    elsewhere = replace(lesson, dataset=replace(dataset, parts=parts), answers=lesson.answers + 1)
    assert same(first, FREE.make(FREE.spec(), elsewhere, Way(3)).student)
    assert not same(first, FREE.make(FREE.spec(), lesson_of(dataset, 1), Way(3)).student)


def test_the_epoch_is_chosen_on_made_up_rows_and_the_score_is_that_of_real_ones(dataset):
    lesson, told = lesson_of(dataset), []
    met = FREE.make(FREE.spec(), lesson, Way(3, notify=told.append))
    (helper,) = met.helpers
    scores = [e["score"] for e in told if e["kind"] == "epoch"]
    assert all(e["helper"] == helper.name for e in told if e["kind"] == "epoch")
    best = max(scores) if dataset.task == "binary" else min(scores)
    assert helper.score == best == scores[met.student.trained.selected_epoch - 1]
    primary = "roc_auc" if dataset.task == "binary" else "rmse"
    real = assessment.score(dataset, "validation", met.student.logits["validation"], primary)
    assert met.student.trained.score_selected == pytest.approx(real) and primary in METRICS.names()
    assert len(met.student.test_logits()) == len(dataset.test)


def test_the_teacher_has_the_whole_lesson_and_what_can_t_be_made_up_is_refused(tmp_path):
    asked = small_spec(tmp_path / "a.csv").model_copy(update={"mode": Choice(name="data_free")})
    done = modes.carried_out(asked)
    assert done.objective.settings == {"temperature": 2.0, "alpha": 1.0} and modes.carried_out(done) == done
    terms = {"hard": 0.5, "terms": [{"name": "hinton", "weight": 1.0}]}
    several = modes.carried_out(asked.model_copy(update={"objective": Choice(name=SEVERAL, settings=terms)}))
    assert several.objective.settings["hard"] == 0.0

    def said(spec, views=("table", "columns")):
        return [p.message for p in plan.check(spec, "binary", 2, views, 200) if p.severity == "error"]

    assert said(asked) == []
    given = Choice(name="soft_labels", settings={"columns": ["p"]})
    assert any("can't label rows that are made" in m for m in said(asked.model_copy(update={"teacher": given})))
    one = asked.evaluation.model_copy(update={"folds": 1})
    network = asked.model_copy(update={"teacher": Choice(name="mlp"), "evaluation": one})
    assert any("needs 2 folds or more" in m for m in said(network))


def test_a_column_of_texts_is_refused_by_name(tmp_path):
    from tests.data.views.test_text_views import text_table

    texts = prepare(text_table(tmp_path / "t.csv"))
    with pytest.raises(
        SpecError, match=r"Rows can't be made up for .*: a histogram says nothing of what stands in a text"
    ):
        FREE.facts["rows"](FREE.spec(), texts, 2, 0)


def test_a_run_without_data_says_what_was_seen(tmp_path):
    asked = small_spec(write_table(tmp_path / "a.csv")).model_copy(update={"mode": Choice(name="data_free")})
    found = carry_out(asked, tmp_path / "run")
    (student,) = found["students"]
    assert found["mode"]["name"] == "data_free" and student["placebo_reason"] == "mode" and student["alpha"] == 1.0
    assert [n["code"] for n in found["teacher"]["notes"]] == ["made_up_rows"]
    (helper,) = student["selection"]["student"][0]["helpers"]
    assert helper["name"] == "made-up rows" and helper["measure"] == "accuracy against the teacher's answers"
    said = [line for line in mode_words.lines(found) if "made-up rows (tiny)" in line]
    assert "ROC-AUC" not in said[0] and "accuracy against the teacher's answers 0." in said[0]
