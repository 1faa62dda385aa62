"""Soft labels: temperature, one row, all rows, classes alike, and where the models part ways."""

from __future__ import annotations

import html
import json

import numpy as np
import pandas as pd
import pytest

from kd_core.data.pictures.column import png
from kd_core.data.types.base import ColumnType
from kd_core.data.types.raw_rows import write_rules
from kd_core.evaluate import soft_labels
from pages.ui.charts import soft_labels as charts
from pages.ui.result import kept_rows, soft_view
from pages.ui.shared import example, text
from pages.ui.shared.text import t
from tests.pages.fixtures import HOSTILE, done_run, make_run, store
from tests.pages.screen import jobs, open_page, words  # noqa: F401


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


def specs(at):
    return [json.loads(c.proto.spec) for c in at.get("plotly_chart")]


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
    assert not at.exception and t("common.example.run") in words(at) and at.get("plotly_chart")
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


def test_all_charts_follow_the_temperature_in_the_address():
    run_id = done_run("multiclass")
    at = open_page(run=run_id, T="8")
    at.query_params["run"], at.query_params["T"] = run_id, "8"
    at.switch_page("soft_labels.py")
    at.query_params["run"], at.query_params["T"] = run_id, "8"
    at.run()
    assert not at.exception
    assert at.select_slider(key="soft-T").value == 8.0
    flat = max(max(d["x"]) for d in specs(at)[0]["data"])
    at.select_slider(key="soft-T").set_value(0.5).run()
    assert at.query_params["T"] in ("0.5", ["0.5"])
    sharp = max(max(d["x"]) for d in specs(at)[0]["data"])
    assert len(specs(at)) == 4 and sharp > 0.95 > 0.6 > flat


@pytest.mark.parametrize("asked", ["nan", "-3", "0", "inf", "x"])
def test_a_temperature_that_is_none_falls_back_to_the_trained_one(asked):
    run_id = done_run()
    at = open_page(run=run_id)
    at.switch_page("soft_labels.py")
    at.query_params["run"], at.query_params["T"] = run_id, asked
    at.run()
    assert not at.exception and at.select_slider(key="soft-T").value == 2.0


def test_the_shown_row_names_label_and_runner_up():
    run_id = done_run("multiclass")
    at = open_page("soft_labels", run=run_id)
    said = html.unescape(words(at))
    assert "The label says" in said and ("runner-up" in said or "wrong here" in said)
    values = next(d.value for d in at.dataframe if "Value" in d.value.columns)
    assert list(values["Column"]) == ["pages", "device"]


def test_next_walks_through_the_disagreements():
    run_id = done_run("multiclass")
    order = [int(r) + 1 for r in kept(run_id).row_ids[soft_view.order(kept(run_id))]]
    at = open_page("soft_labels", run=run_id)
    seen = [at.selectbox(key="soft-row-id").value]
    for _ in range(2):
        at.button(key="soft-next").click().run()
        seen.append(at.selectbox(key="soft-row-id").value)
    assert seen == [int(kept(run_id).row_ids[soft_view.opening_row(kept(run_id))]) + 1, *order[:2]]


def test_a_click_in_the_table_shows_that_row():
    run_id = done_run("multiclass")
    at = open_page("soft_labels", run=run_id)
    table = next(d.value for d in at.dataframe if "Distance" in d.value.columns)
    at.session_state["soft-apart-0"] = {"selection": {"rows": [], "columns": [], "cells": [(2, "Row")]}}
    at.run()
    assert at.selectbox(key="soft-row-id").value == int(table["Row"][2])


def test_regression_says_plainly_that_there_are_no_soft_labels():
    run_id = done_run("regression")
    at = open_page("soft_labels", run=run_id)
    assert not at.exception
    assert t("soft_labels.regression.note") in words(at) and not at.select_slider
    drawn = specs(at)[0]["data"]
    assert [d["name"] for d in drawn] == ["perfect", "Teacher", "Baseline", "Student"]
    logits = kept(run_id).logits["teacher"][:, 0]
    assert (
        drawn[1]["y"]["bdata"]
        if isinstance(drawn[1]["y"], dict)
        else drawn[1]["y"][0] == pytest.approx(logits[0] * 8 + 30)
    )


def test_one_of_several_students_can_be_chosen():
    run_id = done_run(students=("tiny", "small"))
    at = open_page("soft_labels", run=run_id)
    before = specs(at)[0]["data"][2]["x"]
    at.get("button_group")[0].set_value(1).run()
    assert not at.exception and specs(at)[0]["data"][2]["x"] != before


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


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_columns_and_classes_are_shown_literally(name):
    run_id = done_run("multiclass", classes=(name, "b", "c"), columns=(name, "device"), target=name)
    at = open_page("soft_labels", run=run_id)
    assert not at.exception
    shown = "".join(c.proto.spec for c in at.get("plotly_chart"))
    for sign in ("<script", "![x](", "$\\"):
        assert sign not in words(at) and sign not in shown
    values = next(d.value for d in at.dataframe if "Value" in d.value.columns)
    assert name in list(values["Column"])


def test_many_classes_draw_the_likeliest_and_the_label():
    p = {"teacher": np.linspace(1, 0, 40), "student": np.linspace(0, 1, 40)}
    shown = soft_view.drawn_classes(p, label=20)
    assert len(shown) == soft_view.BARS and {20, 38, 39} <= set(shown) and shown == sorted(shown)


def test_the_most_alike_pair_is_off_the_diagonal():
    assert soft_view.most_alike(np.array([[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.0, 0.1, 0.9]])) == (1, 2)


def few(teacher, labels):
    z = np.log(np.asarray(teacher, float))
    rows = pd.DataFrame({"a": range(len(z))})
    return kept_rows.Kept(np.arange(len(z)), np.asarray(labels), {"teacher": z, "student": z, "baseline": z}, rows)


def test_the_first_row_is_one_where_the_teacher_is_clearly_right_with_a_strong_runner_up():
    teacher = [[0.9, 0.1, 0.1], [0.5, 0.48, 0.02], [0.6, 0.35, 0.05], [0.3, 0.4, 0.3]]
    assert soft_view.opening_row(few(teacher, [0, 0, 0, 0])) == 2  # 1 is no clear lead, 3 is wrong
    assert soft_view.opening_row(few(teacher, [1, 0, 1, 1])) == 1  # no clear lead anywhere: the strongest runner-up
    assert soft_view.opening_row(few(teacher, [1, 1, 1, 0])) == 3  # never right: the most undecided row


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (0, "The teacher is right: it gives a 60.0 %, and b 30.0 %, the runner-up"),
        (1, "The teacher is wrong here: it gives a 60.0 %, and b, the label, only 30.0 %"),
        (2, "The teacher is wrong here: it gives a 60.0 %, and c, the label, only 10.0 %"),
    ],
)
def test_the_sentence_tells_whether_the_teacher_is_right(label, said):
    p = {"teacher": np.array([0.6, 0.3, 0.1]), "student": np.array([0.2, 0.3, 0.5])}
    told = soft_view.row_sentence(p, label, ["a", "b", "c"])
    assert (
        told.startswith(said)
        and f"The student gives a 20.0 % and {'abc'[label or 1]} {[30, 30, 50][label]}.0 %" in told
    )


def test_the_true_class_is_framed():
    made = charts.bars(
        {"teacher": [0.7, 0.3]}, ["a", "b"], names={"teacher": "T"}, x_title="x", label=1, label_mark="label"
    )
    (frame,) = made.to_dict()["layout"]["shapes"]
    assert frame["y0"] < 1 < frame["y1"] and frame["y0"] > 0
    assert made.to_dict()["layout"]["yaxis"]["ticktext"] == ["a", "<b>b</b><br>label"]


def test_agreement_and_kl_are_the_results_and_those_of_what_is_drawn_name_seed_rows_and_t():
    run_id = done_run("multiclass")
    found = store().folder(run_id).result()
    at = open_page("soft_labels", run=run_id)
    fidelity = found["students"][0]["fidelity"]
    metric = next(m for m in at.metric if m.label == "Student agrees with the teacher")
    assert metric.value == text.percent(fidelity["agreement"]["mean"])
    assert metric.delta == f"KL {text.score(fidelity['kl']['mean'])} nats at T = 1"
    said = next(c.value for c in at.caption if "as in the result" in c.value)
    here = kept(run_id)
    kl = soft_labels.kl(here.logits["teacher"], here.logits["student"], 2.0)
    assert "Mean over 3 seeds on all 200 test rows" in said and "seed 0 on 60 rows" in said
    assert f"at T = 2 its KL is {text.score(kl)} nats" in said


def keep_view(run_id, kind, types, rows):
    """Let a finished run hold a view of its student, and other rows."""
    folder = store().folder(run_id)
    place = f"artifacts/views/{kind}/columns.json"
    (folder.path / place).parent.mkdir(parents=True)
    (folder.path / place).write_bytes(write_rules(types))
    rows.to_parquet(folder.artifact("rows.parquet"))
    found = folder.result()
    for entry in found["artifacts"]["students"]:
        entry["view"] = [place]
    folder.write_result(found)


def test_a_row_is_drawn_as_the_view_of_the_student_shows_it():
    run_id = done_run()
    frame = kept(run_id).rows
    texts = [f"Bag {i} came late. <b>Again</b> $x$" for i in range(len(frame))]
    keep_view(run_id, "tokens", {"said": ColumnType("text")}, frame.assign(said=texts))
    at = open_page("soft_labels", run=run_id)
    assert not at.exception and at.text[0].value in texts  # in full, literally
    values = next(d.value for d in at.dataframe if "Value" in d.value.columns)
    assert list(values["Column"]) == ["pages", "device"]


def test_a_picture_is_drawn_by_the_view_of_the_student():
    run_id = done_run()
    files = [png(np.full((8, 8, 1), i % 256, np.uint8)) for i in range(len(kept(run_id).rows))]
    keep_view(run_id, "pixels", {"photo": ColumnType("picture")}, pd.DataFrame({"photo": files}))
    at = open_page("soft_labels", run=run_id)
    assert not at.exception and len(at.get("image")) == 1
    assert not [d for d in at.dataframe if "Value" in d.value.columns]  # nothing else is known of the row


def test_rules_of_columns_that_are_damaged_are_told():
    run_id = done_run()
    keep_view(run_id, "table", {"pages": ColumnType("number")}, kept(run_id).rows)
    (store().folder(run_id).artifact("views/table/columns.json")).write_text("{")
    at = open_page("soft_labels", run=run_id)
    assert not at.exception and any("can't be read" in e.value for e in at.error)
