"""Without a training row: rows made up of columns' histograms, what the teacher says of them, and who chooses."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from kd_core.data.preparation import prepare
from kd_core.data.view import Views
from kd_core.distill import MODES
from kd_core.distill.beside import made_up
from kd_core.distill.made_lesson import MadeLesson
from kd_core.distill.meeting import Lesson, Way
from kd_core.errors import SpecError
from kd_core.evaluate import METRICS
from kd_core.runs import assessment, plan
from kd_core.runs.cells import modes
from kd_core.runs.view import mode_words
from kd_core.specs import SEVERAL, Choice, StudentSpec
from kd_core.training.checkpoint import Checkpoints
from tests.data.views.test_text_views import text_table
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


class TestTexts:
    """Beside a column of numbers: what students of texts see, and what they can't."""

    BAG = StudentSpec(name="bag", arch=Choice(name="bag", settings={"width": 8}))

    @pytest.fixture
    def texts(self, tmp_path):
        return prepare(text_table(tmp_path / "t.csv", 200))

    def lesson(self, texts, rows):
        z = 2.0 * np.array(["lost" in text.split() for text in rows.frame["message"]])[:, None] - 1
        unread = np.full((len(texts.train), 2), np.nan, np.float32)
        taught = Choice(name="hinton", settings={"alpha": 1.0})
        made = MadeLesson(rows, np.concatenate([z, -z], 1).astype(np.float32), 1)
        return Lesson(texts, self.BAG, taught, unread, TRAINING, made=made)

    def rows(self, texts, seed=0, times=1):
        return FREE.facts["rows"](FREE.spec(rows=times), texts, 2, seed)

    def redealt(self, texts):
        """Deal the words of the training texts to other texts: counts and lengths stay, and nothing else of them."""
        frame, at = texts.rows.copy(), texts.train.row_ids
        cut = [text.split() for text in frame["message"].iloc[at]]
        rng = np.random.default_rng(5)
        words, ends = (
            rng.permutation([word for some in cut for word in some]),
            np.cumsum(rng.permutation([len(some) for some in cut])),
        )
        frame.loc[frame.index[at], "message"] = [" ".join(some) for some in np.split(words, ends[:-1])]
        return replace(texts, rows=frame)

    def test_they_have_the_words_and_lengths_of_the_training_texts_and_are_none_of_them(self, texts):
        rows = self.rows(texts, times=4)
        real = texts.rows["message"].iloc[texts.train.row_ids]
        assert {len(text.split()) for text in rows.frame["message"]} == {len(text.split()) for text in real}
        shares = [
            pd.Series(" ".join(some).split()).value_counts(normalize=True) for some in (rows.frame["message"], real)
        ]
        assert (shares[0] / shares[1][shares[0].index]).between(0.8, 1.4).all() and "lost" in shares[0]
        assert not set(shares[0].index) & {str(i) for i in range(200)}  # each number stands in one text alone
        assert not set(rows.frame["message"]) & set(real)
        assert rows.frame["message"].dtype == real.dtype and set(rows.frame) == {"message", "amount"}

    def test_counts_and_lengths_decide_the_rows_and_nothing_else_of_the_training_texts(self, texts):
        first, other = self.rows(texts), self.redealt(texts)
        assert not set(other.rows["message"]) <= set(texts.rows["message"])
        assert first.frame.equals(self.rows(other).frame) and first.digest != self.rows(texts, 1).digest
        elsewhere = texts.rows.copy()  # validation and test texts are not counted
        outside = np.setdiff1d(np.arange(len(elsewhere)), texts.train.row_ids)
        elsewhere.loc[elsewhere.index[outside], "message"] = "quite other words words"
        assert first.frame.equals(self.rows(replace(texts, rows=elsewhere)).frame)

    def test_a_student_of_texts_is_the_same_without_the_training_texts(self, texts):
        lesson = self.lesson(texts, self.rows(texts))
        first = FREE.make(FREE.spec(), lesson, Way(3)).student
        assert same(first, FREE.make(FREE.spec(), lesson, Way(3)).student)
        whole = texts.view("ngrams")
        gone = replace(whole, parts={name: x for name, x in whole.parts.items() if name != "train"})
        unlabelled = {**texts.parts, "train": replace(texts.train, y=np.zeros_like(texts.train.y))}
        without = replace(texts, views=Views({"ngrams": lambda: gone}), parts=unlabelled)
        rows = replace(lesson.made.rows, _encoded={})
        assert same(first, FREE.make(FREE.spec(), self.lesson(without, rows), Way(3)).student)
        assert not same(first, FREE.make(FREE.spec(), self.lesson(texts, self.rows(texts, 1)), Way(3)).student)

    def test_stopped_and_gone_on_with_it_is_the_same(self, texts, tmp_path, monkeypatch):
        monkeypatch.setattr(Checkpoints, "due", lambda kept: True)
        lesson, told, asked = self.lesson(texts, self.rows(texts)), [], []
        way = Way(3, notify=told.append)
        whole = FREE.make(FREE.spec(), lesson, way).student
        epochs = [event["score"] for event in told if event["kind"] == "epoch"]
        told.clear()
        kept = replace(way, checkpoint=tmp_path / "kept")
        cut = replace(kept, should_stop=lambda: asked.append(1) or len(asked) > 7)  # in the second epoch
        FREE.make(FREE.spec(), lesson, cut)
        assert [event["score"] for event in told if event["kind"] == "epoch"] == epochs[:1]
        assert same(whole, FREE.make(FREE.spec(), lesson, kept).student)
        assert [event["score"] for event in told if event["kind"] == "epoch"] == epochs

    def test_columns_that_were_not_made_up_are_refused_by_name(self, texts):
        rows = self.rows(texts)
        short = replace(rows, frame=rows.frame[["amount"]], _encoded={})
        with pytest.raises(SpecError, match=r"Rows can't be made up for message: neither a histogram nor counts"):
            short.encoded(texts, "ngrams")


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
