"""Searches with their products, ranked: whole queries stay together, everything is told in queries, and the file ranks new rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kd_core.data.preparation import prepare
from kd_core.errors import DataError
from kd_core.requests.continue_spec import ContinueSpec
from kd_core.runs.artifacts import kept_rows
from kd_core.runs.asked import student_spec, teacher_choice
from kd_core.runs.continuing.check import check
from kd_core.runs.direct import run_here
from kd_core.runs.examining.examination import why_not
from kd_core.runs.predictor import load, ranks
from kd_core.runs.service.execution import StopSignal
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, SweepSpec, TrainingSpec
from tests.runs.kinds.test_text_run import carry_out


def searches(path, queries=90):
    """Write a search log: a query's mood shifts the whole list, and only what differs inside it tells the grade."""
    rng = np.random.default_rng(0)
    size = rng.integers(3, 12, queries)
    of = np.repeat(np.arange(queries), size)
    price, fit = rng.gamma(2, 4, len(of)).round(2), rng.normal(size=len(of)).round(3)
    mood = rng.normal(size=queries)[of].round(3)
    merit = 1.5 * fit - 0.15 * price + 0.5 * rng.normal(size=len(of))
    grade = pd.Series(merit).groupby(of).rank(pct=True)
    frame = pd.DataFrame({"search": [f"q{q}" for q in of], "price": price, "fit": fit, "mood": mood})
    frame["grade"] = np.digitize(grade, [0.4, 0.7, 0.9])
    frame.sample(frac=1, random_state=0).to_csv(path, index=False)
    return DatasetSpec(source=str(path), target="grade", task="ranking", group="search")


def asking(dataset, *students, teacher="lightgbm", **more):
    return RunSpec(
        dataset=dataset,
        teacher=teacher_choice(teacher, []),
        students=tuple(student_spec(name) for name in students),
        objective=Choice(name="listwise_kd"),
        training=TrainingSpec(epochs=6, seeds=2),
        evaluation=EvaluationSpec(folds=2, latency=False),
        **more,
    )


def test_whole_queries_are_dealt_to_a_part(tmp_path):
    data = prepare(searches(tmp_path / "a.csv"), tmp_path)
    held = [set(data.rows["search"].iloc[part.row_ids]) for part in data.parts.values()]
    assert not held[0] & held[1] and not held[0] & held[2] and not held[1] & held[2]
    assert data.task == "ranking" and data.num_outputs == 1 and data.train.y.dtype == np.float64


def test_the_same_product_in_two_searches_joins_nothing(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"search": np.repeat(np.arange(40), 6), "shape": rng.random(240), "size": rng.random(240)})
    for k in range(0, 240, 12):
        frame.loc[k + 6, ["shape", "size"]] = frame.loc[k, ["shape", "size"]]
    frame["grade"] = rng.integers(0, 4, len(frame))
    frame.to_csv(tmp_path / "a.csv", index=False)
    spec = DatasetSpec(source=str(tmp_path / "a.csv"), target="grade", task="ranking", group="search")
    for part in prepare(spec, tmp_path).parts.values():
        assert len(np.unique(part.groups)) == frame["search"].iloc[part.row_ids].nunique() > 1
    plain = prepare(spec.model_copy(update={"task": "regression"}), tmp_path)
    assert len(np.unique(plain.train.groups)) < frame["search"].iloc[plain.train.row_ids].nunique()


@pytest.mark.parametrize(
    ("grades", "code", "said"),
    [
        ((-1, 0, 2), "grade_negative", "grades below 0, the lowest is -1"),
        ((0, 2, 45), "grade_high", "the highest is 45"),
    ],
)
def test_odd_grades_are_refused_in_words(tmp_path, grades, code, said):
    frame = pd.read_csv(searches(tmp_path / "a.csv").source)
    frame["grade"] = np.resize(grades, len(frame))
    frame.to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(DataError) as raised:
        prepare(DatasetSpec(source=str(tmp_path / "b.csv"), target="grade", task="ranking", group="search"), tmp_path)
    assert raised.value.code == code and said in str(raised.value)


def test_rows_kept_to_look_at_are_whole_queries():
    groups = np.random.default_rng(0).integers(0, 30, 300)
    kept = kept_rows(300, "x", 100, groups)
    assert 70 <= len(kept) <= 100 and set(np.unique(groups[kept])) & set(np.unique(np.delete(groups, kept))) == set()
    assert (groups[kept_rows(300, "x", 2, groups)] == groups[kept_rows(300, "x", 2, groups)][0]).all()


def test_equal_scores_share_a_rank_and_a_row_without_a_query_stands_alone():
    found = ranks(np.array([0.5, 2.0, 2.0, 9.0, 1.0, 3.0]), np.array(["a", "a", "a", "b", None, None], dtype=object))
    assert found.tolist() == [3, 1, 1, 1, 1, 1]


@pytest.mark.slow
@pytest.mark.parametrize("teacher", ["lightgbm", "gradient_boosting"])
def test_a_ranking_is_taught_judged_by_query_and_taken_home(tmp_path, teacher):
    spec = asking(searches(tmp_path / "a.csv"), "tiny", "trees:tiny", teacher=teacher)
    found, folder = run_here(spec, tmp_path / "run", lambda event: None, StopSignal())
    data = prepare(spec.dataset, tmp_path)
    assert found["metric"]["name"] == "ndcg_5" and set(found["teacher"]["metrics"]) == {
        "ndcg_5",
        "ndcg_10",
        "mrr",
        "recall_10",
    }
    queries = len(np.unique(data.dealt_by("test")))
    assert found["dataset"]["group"] == "search" and found["dataset"]["groups"]["test"]["all"] == queries
    for student in found["students"]:
        assert student["metrics"]["ndcg_5"]["mean"] > 0.7 and student["gain"]["ndcg_5"]["rows_half"] > 0
    model = load(folder, "tiny")
    frame = data.rows.iloc[data.test.row_ids][["search", "price", "fit", "mood"]]
    told = model.predict(frame)
    assert list(told.columns) == ["grade", "rank"]
    best = told[told["rank"] == 1].index
    assert set(frame.loc[best, "search"]) == set(frame["search"])
    assert (
        told.groupby(frame["search"])["grade"].max() == told.loc[best].groupby(frame.loc[best, "search"])["grade"].max()
    ).all()
    assert list(model.predict(frame.drop(columns="search")).columns) == ["grade"]


def test_what_would_take_queries_apart_is_refused_in_words():
    assert "would take queries apart" in why_not("ranking")
    spec = asking(DatasetSpec(source="a.csv", target="grade", task="ranking", group="search"), "tiny")
    going = spec.model_copy(update={"continues": ContinueSpec(run="r", source="b.csv")})
    assert "continue_ranking" in [p.code for p in check(going)]


@pytest.mark.slow
def test_what_ifs_of_a_ranking_are_trained_one_by_one(tmp_path):
    spec = asking(searches(tmp_path / "a.csv"), "tiny", sweep=SweepSpec(temperature=(1.0, 4.0), alpha=(0.3, 0.9)))
    found, _ = carry_out(spec, tmp_path / "run")
    assert len(found["cells"]) == 4 and all(np.isfinite(cell["mean"]) for cell in found["cells"])
