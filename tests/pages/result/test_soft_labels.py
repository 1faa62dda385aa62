"""Soft labels: temperature, one row, all rows, classes alike, and where the models part ways."""

from __future__ import annotations

import base64
import io
import itertools
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kd_core.evaluate import class_map, soft_labels
from kd_core.specs import Choice
from pages.ui.result import kept_rows, soft_view
from pages.ui.shared import example, text
from pages.ui.shared.text import t
from pages.ui.soft import component, content, live
from tests.pages.fixtures import CLASSES, HOSTILE, done_run, make_run, store
from tests.pages.screen import jobs, open_page, words  # noqa: F401
from tests.pages.soft_runs import KINDS, sent, soft_run


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


def kept(run_id, student=0):
    folder = store().folder(run_id)
    return kept_rows.load(folder, folder.result(), student)


def test_without_finished_runs_one_button_leads_to_distill(monkeypatch, tmp_path):
    monkeypatch.setattr(example, "FOLDER", tmp_path / "none shipped")
    make_run("queued")
    make_run("running")
    at = open_page("soft_labels")
    assert not at.exception
    assert t("soft_labels.empty") in words(at) and t("soft_labels.empty_button") in [b.label for b in at.button]


@pytest.mark.slow
def test_without_finished_runs_the_example_is_shown_and_named():
    make_run("queued")
    at = open_page("soft_labels")
    assert not at.exception and t("common.example.run") in words(at) and sent(at)["classes"]
    done_run()
    assert t("common.example.run") not in words(open_page("soft_labels"))


def test_an_example_that_cannot_be_kept_is_told(monkeypatch):
    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(example, "adopt", full)
    at = open_page("soft_labels")
    assert not at.exception and len(at.error) == 1 and t("soft_labels.empty") in words(at)


@pytest.mark.parametrize("state", ["queued", "failed", "interrupted"])
def test_a_run_without_result_says_so_beside_the_finished_ones(state):
    done_run()
    at = open_page("soft_labels", run=make_run(state))
    assert not at.exception
    assert any(t("soft_labels.not_ready") in i.value for i in at.info)


def test_regression_says_plainly_that_there_are_no_soft_labels():
    run_id = done_run("regression")
    at = open_page("soft_labels", run=run_id)
    assert not at.exception
    assert t("soft_labels.regression.note") in words(at) and not at.select_slider
    found, held = sent(at), kept(run_id)
    for arm in ("teacher", "baseline", "student"):
        assert np.array_equal(logits(found[arm]), held.logits[arm][:, 0])
    assert (found["centre"], found["unit"], found["bounded"], found["trained"]) == (30.0, 8.0, False, None)
    assert np.array_equal(logits(found["truth"]), held.labels) and found["temperatures"][0] == 0.0


def test_the_slider_of_a_bounded_loss_begins_at_its_margin():
    bounded = Choice(name="bounded_mse", settings={"margin": 0.07})
    found = sent(open_page("soft_labels", run=done_run("regression", objective=bounded)))
    assert (found["trained"], found["start"], found["bounded"]) == (0.07, 0.07, True)
    assert 0.07 in found["temperatures"] and found["temperatures"] == sorted(found["temperatures"])


def test_missing_soft_labels_are_an_error_with_a_next_step():
    run_id = done_run()
    (store().folder(run_id).path / "artifacts" / "soft_labels.npz").unlink()
    at = open_page("soft_labels", run=run_id)
    assert not at.exception
    assert any("can't be read" in e.value.replace("&#39;", "'") and "Clone" in e.value for e in at.error)


def test_a_pickled_array_is_refused():
    run_id = done_run()
    path = store().folder(run_id).path / "artifacts" / "soft_labels.npz"
    np.savez(path, teacher=np.array([{"a": 1}], dtype=object), row_ids=np.arange(1))
    at = open_page("soft_labels", run=run_id)
    assert not at.exception and any("allow&#95;pickle" in e.value for e in at.error)


def test_many_classes_draw_the_likeliest_and_the_label():
    p = {"teacher": np.linspace(1, 0, 40), "student": np.linspace(0, 1, 40)}
    shown = soft_view.drawn_classes(p, label=20)
    assert len(shown) == soft_view.BARS and {20, 38, 39} <= set(shown) and shown == sorted(shown)


def logits(table):
    return table.column(0).to_numpy()


def test_the_browser_gets_the_logits_of_the_kept_rows_once_and_nothing_of_a_temperature():
    run_id = done_run("multiclass")
    at = open_page("soft_labels", run=run_id, t="8")
    found, held = sent(at), kept(run_id)
    assert not at.exception and not at.select_slider
    for arm in ("teacher", "baseline", "student"):
        assert logits(found[arm]).dtype == np.float32
        assert np.array_equal(logits(found[arm]), held.logits[arm].ravel())
    assert np.array_equal(logits(found["labels"]), held.labels) and np.array_equal(
        logits(found["ids"]), held.row_ids + 1
    )
    assert found["classes"] == list(CLASSES["multiclass"]) and found["trained"] == 2.0
    again = open_page("soft_labels", run=run_id, t="3")
    assert sent(again)["key"] == found["key"]  # the same, whatever T is in sight


def test_order_and_tree_are_the_teachers_at_the_trained_temperature():
    run_id, written = soft_run(9, 200)
    found = sent(open_page("soft_labels", run=run_id))
    p = soft_labels.soften(written["teacher"], 2.0)
    tree = class_map.tree(class_map.likeness(class_map.log_lift(p, written["labels"], 9)))
    assert found["order"] == tree.order.tolist() and found["joined"] == tree.joined.tolist()
    assert found["heights"] == pytest.approx(tree.heights.tolist()) and found["ordered_at"] == "2"


def test_the_slider_has_the_temperature_the_student_was_trained_at():
    objective = Choice(name="hinton", settings={"temperature": 3.33, "alpha": 0.7})
    found = sent(open_page("soft_labels", run=done_run("multiclass", objective=objective)))
    assert found["trained"] == 3.33 and 3.33 in found["temperatures"]
    assert found["temperatures"] == sorted(found["temperatures"]) and {0.5, 1.0, 20.0} <= set(found["temperatures"])
    steps = component.temperatures()
    assert max(b / a for a, b in itertools.pairwise(steps)) < 1.052 and len(steps) == len(set(steps)) == 116


def test_one_of_several_students_can_be_chosen():
    run_id = done_run(students=("tiny", "small"))
    at = open_page("soft_labels", run=run_id)
    before = logits(sent(at)["student"])
    at.get("button_group")[0].set_value(1).run()
    after = logits(sent(at)["student"])
    assert not at.exception and not np.array_equal(after, before)
    assert np.array_equal(after, kept(run_id, 1).logits["student"].ravel())


def test_more_logits_than_a_browser_follows_are_fewer_rows_and_the_page_says_so(monkeypatch):
    monkeypatch.setattr(live, "SHARES", 900)
    run_id, written = soft_run(9, 200)
    at = open_page("soft_labels", run=run_id)
    found = sent(at)
    rows = component.rows_drawn(200, 9, 900)
    assert len(rows) == 100 and rows[0] == 0 and rows[-1] == 199 and (np.diff(rows) > 0).all()
    assert np.array_equal(logits(found["ids"]), written["row_ids"][rows] + 1)
    assert np.array_equal(logits(found["teacher"]), written["teacher"][rows].ravel())
    assert found["cells"].column(0).to_pylist() == [str(r) for r in rows]
    assert "100 of them, evenly spread, are drawn: with 9 classes" in words(at)


def test_answers_that_are_not_one_for_each_class_are_told():
    run_id, written = soft_run(9, 50)
    np.savez(store().folder(run_id).artifact("soft_labels.npz"), **{**written, "teacher": written["teacher"][:, :5]})
    at = open_page("soft_labels", run=run_id)
    assert not at.exception and t("soft_labels.other_width") in [i.value for i in at.info]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_columns_and_classes_travel_as_they_are_and_reach_no_markup(name):
    run_id = done_run("multiclass", classes=(name, "b", "c"), columns=(name, "device"), target=name)
    at = open_page("soft_labels", run=run_id)
    found = sent(at)
    assert not at.exception and found["classes"][0] == name and name in found["shape"]["fields"]
    for sign in ("<script", "![x](", "$\\"):
        assert sign not in words(at)


def few(teacher, labels):
    z = np.log(np.asarray(teacher, float))
    rows = pd.DataFrame({"a": range(len(z))})
    return kept_rows.Kept(np.arange(len(z)), np.asarray(labels), {"teacher": z, "student": z, "baseline": z}, rows)


def test_the_first_row_is_one_where_the_teacher_is_clearly_right_with_a_strong_runner_up():
    teacher = [[0.9, 0.1, 0.1], [0.5, 0.48, 0.02], [0.6, 0.35, 0.05], [0.3, 0.4, 0.3]]
    every = np.arange(4)
    assert live.opening_row(few(teacher, [0, 0, 0, 0]), every) == 2  # 1 is no clear lead, 3 is wrong
    assert live.opening_row(few(teacher, [0, 0, 0, 0]), every[[0, 1, 3]]) == 0  # of the rows that are drawn
    assert live.opening_row(few(teacher, [1, 0, 1, 1]), every) == 1  # no clear lead anywhere: the strongest runner-up
    assert live.opening_row(few(teacher, [1, 1, 1, 0]), every) == 3  # never right: the most undecided row


def test_agreement_and_kl_are_the_results():
    run_id = done_run("multiclass")
    found = store().folder(run_id).result()
    at = open_page("soft_labels", run=run_id)
    fidelity = found["students"][0]["fidelity"]
    metric = next(m for m in at.metric if m.label == "Student agrees with the teacher")
    assert metric.value == text.percent(fidelity["agreement"]["mean"])
    assert metric.delta == f"KL {text.score(fidelity['kl']['mean'])} nats at T = 1"
    said = next(c.value for c in at.caption if "as in the result" in c.value)
    assert "Mean over 3 seeds on all 200 test rows" in said and "draw seed 0" in said


@pytest.mark.parametrize("kind", KINDS)
def test_rows_travel_as_the_view_of_the_student_shows_them(kind):
    run_id, _ = soft_run(3, 30, kind)
    at = open_page("soft_labels", run=run_id)
    found = sent(at)
    shape, rows = found["shape"], kept(run_id).rows
    assert not at.exception
    if kind == "table":
        assert shape == {"texts": [], "fields": ["pages", "device"], "strips": [], "thumbs": None}
        assert found["cells"].column(1).to_pylist() == list(rows["device"])
    elif kind == "pictures":
        assert shape["texts"] == shape["fields"] == [] and shape["thumbs"]["columns"] == 6
        sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(shape["thumbs"]["url"].partition(",")[2]))))
        assert sheet.shape == (40, 48) and (sheet[8:16, 16:24] == 8).all()  # row 8: second line, third place
    else:
        assert shape == {"texts": ["said"], "fields": [], "strips": [], "thumbs": None}
        assert found["cells"].column(0).to_pylist() == list(rows["said"])  # in full, as they are


def test_long_texts_and_many_columns_are_cut_and_the_page_says_so(monkeypatch):
    monkeypatch.setattr(content, "TEXT_CHARACTERS", 3000)
    run_id, _ = soft_run(3, 10, "english", texts=["x" * 299] * 9 + ["y" * 301])
    at = open_page("soft_labels", run=run_id)
    assert sent(at)["cells"].column(0).to_pylist()[8:] == ["x" * 299, "y" * 300 + "…"]
    assert "Texts are cut after 300 characters." in words(at)
    monkeypatch.setattr(content, "FIELDS", 1)
    at = open_page("soft_labels", run=soft_run(3, 10)[0])
    assert sent(at)["shape"]["fields"] == ["pages"] and "1 more column of the rows are left out" in words(at)


def test_large_pictures_are_made_smaller_and_the_page_says_so(monkeypatch):
    monkeypatch.setattr(content, "SHEET_PIXELS", 30 * 16)
    at = open_page("soft_labels", run=soft_run(3, 30, "pictures")[0])
    assert sent(at)["shape"]["thumbs"]["side"] == 4 and "Pictures are shown at 4 pixels." in words(at)


def test_rules_of_columns_that_are_damaged_are_told():
    run_id, _ = soft_run(3, 30)
    (store().folder(run_id).artifact("views/table/columns.json")).write_text("{")
    at = open_page("soft_labels", run=run_id)
    assert not at.exception and any("can't be read" in e.value for e in at.error)


def test_every_word_the_charts_say_is_in_the_catalogue_and_none_is_left_over():
    said, known = set(), set()
    for kind in component.PARTS:
        script, words_ = component.script(kind), component.words(kind)
        named = set(re.findall(r"\bwords\.(\w+)", script))
        named |= set(re.findall(r'"((?:view|note|axis)_\w+)"', script))  # of the plane's views
        named |= {f"sort_{s}" for s in re.findall(r"^  (\w+): \(model", script, re.M)}
        named |= {f"chosen_{s}" for s in re.findall(r"^  (\w+): \((?:\)|\{)", script, re.M)}
        assert named <= set(words_), kind
        said |= named
        known |= set(words_)
    assert said == known


def test_the_scripts_write_text_alone():
    script = "\n".join(component.script(kind) for kind in component.PARTS)
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser", "srcdoc", "fetch(", "XMLHttpRequest"):  # fmt: skip
        assert way not in script
