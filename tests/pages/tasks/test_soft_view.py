"""The soft labels of a result: a picture of the kept rows at the run's temperature, its numbers theirs."""

from __future__ import annotations

import html
import json

import numpy as np
import pandas as pd
import pytest

from pages.ui.result import kept_rows, soft_view
from pages.ui.shared import example
from pages.ui.shared.text import t
from pages.ui.soft.labels import shares
from tests.pages.fixtures import CLASSES, done_run, store
from tests.pages.screen import jobs, open_page, words  # noqa: F401
from tests.pages.soft_runs import soft_run

ARMS = ("teacher", "baseline", "student")


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


def opened(run_id):
    """The picture of the open tab by the names of its models, what is said there, and what the run kept."""
    at = open_page("runs", {"tab": str(t("runs.result.tabs_soft"))}, run=run_id)
    assert not at.exception
    folder = store().folder(run_id)
    (chart,) = [c for c in at.get("plotly_chart") if c.proto.id.endswith("result-soft")]
    drawn = {str(part["name"]): part for part in json.loads(chart.proto.spec)["data"]}
    said = html.unescape(words(at)).replace("\u2060", "")
    return drawn, said, kept_rows.load(folder, folder.result(), 0)


def softmax(z, at):
    raised = np.exp(np.asarray(z, np.float64) / at)
    return raised / raised.sum(axis=1, keepdims=True)


def test_two_classes_draw_how_often_each_share_of_yes_occurs():
    drawn, said, held = opened(done_run())
    for name, arm in (("Teacher", "teacher"), ("Baseline", "baseline"), ("Student", "student")):
        p = softmax(held.logits[arm], 2.0)[:, 1]
        assert drawn[name]["y"] == np.histogram(p, np.linspace(0, 1, 11))[0].tolist()
        assert f"{100 * ((p > 0.1) & (p < 0.9)).mean():.1f} %" in said
    off = np.abs(softmax(held.logits["student"], 2.0) - softmax(held.logits["teacher"], 2.0))[:, 1].mean()
    assert f"student's shares are {100 * off:.1f} points" in said and CLASSES["binary"][1] in said


def test_more_classes_draw_the_strongest_likenesses_to_the_teacher():
    run_id, written = soft_run(6, 240)
    drawn, said, _ = opened(run_id)
    mean = {
        arm: np.array([softmax(written[key], 2.0)[written["labels"] == c].mean(axis=0) for c in range(6)])
        for arm, key in (("Teacher", "teacher"), ("Baseline", "baseline_0"), ("Student", "student_0"))
    }
    beside = np.where(np.eye(6, dtype=bool), -1, mean["Teacher"])
    best = np.argsort(-beside, axis=None)[: soft_view.PAIRS]
    for name, shares_of in mean.items():
        assert drawn[name]["x"] == pytest.approx(shares_of.ravel()[best].tolist())
        assert f"{100 * shares_of.ravel()[best[0]]:.1f} %" in said
    a, b = divmod(int(best[0]), 6)
    assert f"Rows labelled class {a:03d} look like class {b:03d} most" in said


def test_a_class_of_few_rows_is_not_told():
    p = {arm: np.tile([0.2, 0.5, 0.3], (40, 1)) for arm in ARMS}
    y = np.array([0] * 37 + [2] * 3)
    assert {a for a, *_ in soft_view.likenesses(p, y, 3)} == {0}
    assert {a for a, *_ in soft_view.likenesses({k: v[:3] for k, v in p.items()}, y[-3:], 3)} == {2}


def test_labels_draw_their_mean_shares():
    rng = np.random.default_rng(0)
    z = {arm: rng.normal(size=(30, 3)).astype(np.float32) for arm in ARMS}
    has = (rng.random((30, 3)) < 0.4).astype(np.int64)
    held = kept_rows.Kept(np.arange(30), has, z, pd.DataFrame({"x": range(30)}))
    student = {"temperature": 4.0}
    glance = soft_view.of_kept(
        held, {"task": "multilabel", "dataset": {"classes": list("abc")}, "students": [student]}, 0
    )
    mean = shares(z["teacher"], 4.0).mean(axis=0)
    order = np.argsort(-mean)
    (teacher, *_) = glance.figure.to_dict()["data"]
    assert teacher["x"] == pytest.approx(mean[order].tolist())
    assert teacher["customdata"] == ["abc"[k] for k in order]
    off = np.abs(shares(z["student"], 4.0) - shares(z["teacher"], 4.0)).mean()
    assert f"rows have {has.sum(axis=1).mean():.2f}" in glance.said and f"{100 * off:.1f} points" in glance.said


def test_numbers_are_drawn_against_the_teachers():
    drawn, said, held = opened(done_run("regression"))
    answer = {arm: held.logits[arm][:, 0] * 8.0 + 30.0 for arm in ARMS}
    assert drawn["Student"]["x"] == pytest.approx(answer["teacher"].tolist(), rel=1e-5)
    assert drawn["Student"]["y"] == pytest.approx(answer["student"].tolist(), rel=1e-5)
    assert f"{np.abs(answer['student'] - answer['teacher']).mean():.3f} away from the teacher" in said


def test_the_first_item_at_a_temperature_counts_the_items_that_are_not_kept():
    p = np.array([0.5, 0.2] + [0.3 / 8] * 8)  # a catalogue of ten, two of them kept
    answers = np.array([[4.0, 1.0, *np.log(p[:3])]], np.float32)
    for at in (1.0, 3.0):
        raised = p ** (1 / at)
        assert soft_view.first_item(answers, 10, at)[0] == pytest.approx(raised[0] / raised.sum(), rel=1e-5)


def test_rows_without_an_answer_are_left_out():
    z = np.arange(8, dtype=np.float32).reshape(4, 2)
    holed = np.where(np.arange(4)[:, None] == 1, np.nan, z)
    frame = pd.DataFrame({"x": range(4)})
    held = kept_rows.Kept(np.arange(4), np.array([0, 1, 0, 1]), {"teacher": holed, "baseline": z, "student": z}, frame)
    told = soft_view.answered(held)
    assert told.row_ids.tolist() == [0, 2, 3] and len(told.rows) == 3 and not np.isnan(told.logits["teacher"]).any()


def test_a_run_whose_rows_are_gone_says_so_and_still_leads_on():
    run_id = done_run()
    (store().folder(run_id).path / "artifacts" / "soft_labels.npz").unlink()
    at = open_page("runs", {"tab": str(t("runs.result.tabs_soft"))}, run=run_id)
    assert not at.exception and any("can't be read" in html.unescape(e.value) for e in at.error)
    assert any(str(t("runs.soft.open")) in str(one.proto) for one in at.get("page_link"))


def test_two_classes_lead_to_the_shipped_example_of_twelve(jobs):  # noqa: F811
    at = open_page("soft_labels")
    assert not at.exception and "visits" in str(store().get(at.session_state["soft-run"]).name).lower()
    at.button(key="example-messages").click().run()
    run_id = at.session_state["soft-run"]
    found = store().folder(run_id).result()
    assert not at.exception and len(found["dataset"]["classes"]) == 12 and example.is_example(run_id)
    assert "example-messages" not in [b.key for b in at.button]
    assert t("common.example.run") in words(at)  # of two examples, none is one's own
