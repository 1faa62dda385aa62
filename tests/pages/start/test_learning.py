"""The curves that play on Start: the run's own scores, means that a result confirms, and all they need sent once."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from kd_core.runs.store.folder import RunFolder
from pages.ui.result import verdict
from pages.ui.shared import engine, example
from pages.ui.shared.text import catalogue, score, size, t
from pages.ui.start import first_words, headline, learning, player
from pages.ui.words import in_short
from tests.pages import fixtures
from tests.pages.screen import jobs, open_page, words  # noqa: F401


@pytest.fixture(scope="module")
def shipped():
    _, result = example.read()
    return result, verdict.best_student(result)


def test_the_shipped_curves_are_the_runs_own_scores(shipped):
    result, best = shipped
    learned = learning.read(example.FOLDER, result, best)
    name = result["students"][best]["name"]
    events = [e for e in RunFolder(example.FOLDER).events() if e["kind"] == "epoch" and e["student"] == name]
    for arm, one in learned.arms.items():
        own = [e for e in events if e["arm"] == arm]
        assert sum(map(len, one.seeds)) == len(own)
        for seed, scores in zip(sorted({e["seed"] for e in own}), one.seeds, strict=True):
            assert list(scores) == [e["score"] for e in own if e["seed"] == seed]
    assert learned.epochs == max(e["epoch"] for e in events if e["arm"] in learned.arms)


def test_the_means_end_where_the_result_says_that_each_seed_was_kept(shipped):
    result, best = shipped
    student = result["students"][best]
    learned = learning.read(example.FOLDER, result, best)
    for arm, one in learned.arms.items():
        kept = [seed["score_selected"] for seed in student["selection"][arm]]
        assert one.mean[-1] == pytest.approx(np.mean(kept), abs=1e-12) and len(kept) == len(one.seeds)
        assert list(one.mean) == sorted(one.mean)
    (room,) = [r for r in result["room"] if r["student"] == student["name"]]
    assert learned.teacher == room["teacher"]


def test_the_best_so_far_of_an_error_is_the_lowest_and_is_held_after_the_end():
    seeds = ((3.0, 1.0, 2.0), (5.0,))
    assert learning.best_so_far(seeds, 4, lower=True).tolist() == [4.0, 3.0, 3.0, 3.0]
    assert learning.best_so_far(seeds, 4, lower=False).tolist() == [4.0, 4.0, 4.0, 4.0]


def events(**changed):
    found = fixtures.curve_events(("tiny",), 2, "roc_auc")
    return [e for e in found if all(e.get(k) != v for k, v in changed.items())]


@pytest.mark.parametrize("gone", [{"arm": "baseline"}, {"kind": "epoch"}, {"kind": "teacher"}])
def test_without_a_side_or_a_teacher_there_are_no_curves(gone):
    assert learning.of_events(events(), "tiny", "roc_auc") is not None
    assert learning.of_events(events(**gone), "tiny", "roc_auc") is None
    assert learning.of_events(events(), "another", "roc_auc") is None


def test_what_is_sent_is_plain_holds_every_word_and_no_markup(shipped):
    result, best = shipped
    learned = learning.read(example.FOLDER, result, best)
    data = player.payload(learned, result)
    assert json.loads(json.dumps(data)) == data and len(json.dumps(data)) < 60_000
    assert set(data["words"]) == {k.removeprefix("start.play.") for k in catalogue() if k.startswith("start.play.")}
    assert data["mean"]["student"] == list(learned.arms["student"].mean) and data["teacher"] == learned.teacher
    assert "13 seeds" in data["note"] and "&" not in data["note"]
    script = (player.BROWSER / "start" / "learning.js").read_text("utf-8")
    assert "innerHTML" not in script and all(f"words.{w}" in script or w.startswith("label_") for w in data["words"])


def test_the_curves_end_with_the_numbers_of_the_test_rows_that_stand_beside(shipped):
    result, best = shipped
    learned = learning.read(example.FOLDER, result, best)
    told = player.on_test(learned, result)
    beside = str(headline.reached(result, best))
    assert all(value in beside for value in told.values())
    mean = learned.arms["student"].mean[-1]
    assert score(mean) != told["test_student"]  # else nobody would have to be told
    assert set(told) <= set(t("start.play.finished_test").replace("}", "{").split("{"))
    bare = {**result, "teacher": {**result["teacher"], "metrics": {}}}
    assert player.on_test(learned, bare) is None


def test_the_three_words_stand_with_the_examples_numbers(shipped, jobs):  # noqa: F811
    result, best = shipped
    at = open_page()
    assert not at.exception
    said = "".join(e.proto.body for e in at.get("html"))
    for arm, name in (("teacher", "gradient boosting"), ("student", result["students"][best]["name"])):
        assert f"<h2>{t(f'start.words.{arm}')}</h2>" in said and name in said
    assert size(result["teacher"]["size_bytes"]) in said and size(result["students"][best]["size_bytes"]) in said
    assert t("start.words.soft_is") in said
    row = first_words.row_of(example.FOLDER, result, best)
    assert sum(share for _, share in row.shares) == pytest.approx(1) and row.shares[0][0] == row.label
    assert all(f"{100 * share:.1f} %" in said for _, share in row.shares)


def test_the_squares_are_to_scale():
    sizes = {"teacher": 400, "student": 100}
    assert "width: 44.00px; height: 44.00px" in first_words._square("teacher", sizes)
    assert "width: 22.00px; height: 22.00px" in first_words._square("student", sizes)


def test_the_headline_says_the_results_numbers_before_any_interval(shipped, jobs):  # noqa: F811
    result, best = shipped
    student, metric = result["students"][best], result["metric"]["name"]
    said = headline.reached(result, best)
    for value in (
        student["metrics"][metric]["mean"],
        student["baseline"]["metrics"][metric]["mean"],
        result["teacher"]["metrics"][metric],
    ):
        assert score(value) in said
    assert f"1/{result['teacher']['size_bytes'] / student['size_bytes']:.0f} of the size" in said
    at = open_page()
    text = words(at)
    assert text.index(said) < text.index("DISTILLING") if "DISTILLING" in text else said in text
    assert in_short.of(result, best) in text


def test_a_run_without_curves_or_kept_rows_still_has_its_words(tmp_path, monkeypatch, jobs):  # noqa: F811
    run_id = fixtures.done_run("binary")
    folder = tmp_path / "example"
    shutil.copytree(engine.store().folder(run_id).path, folder)
    engine.store().delete(run_id)
    (folder / "events.jsonl").unlink()
    (folder / "artifacts" / "soft_labels.npz").unlink(missing_ok=True)
    monkeypatch.setattr(example, "FOLDER", folder)
    at = open_page()
    assert (
        not at.exception
        and not [e for e in at.get("bidi_component") if e.key.startswith("start-learning")]
        and at.button(key="start-run")
    )
    said = "".join(e.proto.body for e in at.get("html"))
    assert t("start.words.soft_is") in said and "its label" not in said.lower()
