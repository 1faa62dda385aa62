"""The Data screen: what was understood, what can be changed, and when one may go on."""

from __future__ import annotations

import html
import json
from dataclasses import replace

import pandas as pd
import pytest

from kd_core.data.files.reading import accepted_extensions
from kd_core.data.types.answered import MADE_TARGET
from kd_core.specs import DatasetSpec
from kd_core.task import TASKS, add, usual
from pages.ui.data import sources, understanding
from pages.ui.shared import engine, facts, session
from pages.ui.shared.text import escape, t
from tests.pages.screen import HOSTILE, jobs, open_page, words  # noqa: F401
from tests.pages.tables import table


def upload(name: str, data: bytes):
    at = open_page("data")
    at.get("file_uploader")[0].upload(name, data)
    at.run()
    return at


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sample", "target", "task"),
    [
        ("visits", "purchased", "binary"),
        ("orders", "next_category", "multiclass"),
        ("delivery", "minutes", "regression"),
    ],
)
def test_a_sample_goes_to_distill_in_two_clicks(jobs, sample, target, task):  # noqa: F811
    at = open_page("data")
    at.button(key=f"data-sample-{sample}").click().run()
    assert not at.exception and at.selectbox(key="data.target").value == target
    assert not at.button(key="data-use").disabled
    at.button(key="data-use").click().run()
    assert not at.exception and at.title[0].value == t("distill.title")
    (dataset_id, spec), *rest = engine.library().specs()
    assert not rest and (spec.target, spec.task, spec.source) == (target, task, f"sample:{sample}")
    assert at.query_params["data"] == dataset_id
    assert facts.kept(dataset_id).rows > 1000


@pytest.mark.slow
def test_a_new_task_can_be_chosen_without_touching_a_page(jobs, monkeypatch):  # noqa: F811
    monkeypatch.setattr(TASKS, "_entries", dict(TASKS._entries))
    add(replace(usual("number"), name="rating", title="a *rating*", usual=False))
    at = open_page("data")
    at.button(key="data-sample-delivery").click().run()
    assert not at.exception and escape("a *rating*") in at.selectbox(key="data.task").options
    at.selectbox(key="data.task").set_value("rating").run()
    assert not at.exception and at.selectbox(key="data.task").value == "rating"
    at.button(key="data-use").click().run()
    assert not at.exception and at.title[0].value == t("distill.title")
    assert engine.library().specs()[0][1].task == "rating"
    assert "; here it is a *rating*" in html.unescape(words(at))


def test_the_uploader_takes_every_format_the_engine_reads(jobs):  # noqa: F811
    at = open_page("data")
    assert sorted(at.get("file_uploader")[0].proto.type) == sorted(accepted_extensions())
    assert sources.endings()[0] == "csv"


@pytest.mark.slow
def test_an_upload_is_kept_on_disk_and_let_go_of(jobs):  # noqa: F811
    at = upload("shop.csv", table(["pages", "minutes", "bought"]))
    assert not at.exception
    stored = engine.library().files()
    assert [(f.name, f.size_bytes) for f in stored] == [("shop.csv", len(table(["pages", "minutes", "bought"])))]
    assert at.session_state["data_upload_turn"] == 1  # a new widget: the old one's bytes can go
    assert at.get("file_uploader")[0].value is None
    assert "60 rows · 3 columns" in words(at)
    assert at.selectbox(key="data.target").value == "bought"
    named = [link.label for link in at.get("page_link")]
    assert "**shop.csv**" in named and t("common.no_dataset_next") not in named and t("common.dataset_begun") in words(at)  # fmt: skip
    at.button(key="data-use").click().run()
    assert t("common.dataset_begun") not in words(at)
    _, spec = engine.library().specs()[0]
    assert spec.source == stored[0].source and spec.sha256 == stored[0].sha256


@pytest.mark.slow
def test_the_card_names_the_file_that_is_open_beside_the_one_in_use(jobs):  # noqa: F811
    at = open_page("data")
    at.button(key="data-fill").click().run()
    at.button(key="data-use").click().run()
    at.switch_page("data.py").run()
    (used,) = [link.label for link in at.get("page_link") if link.label.startswith("**")][:1]
    assert t("common.dataset_begun") not in words(at)
    at.get("file_uploader")[0].upload("shop.csv", table(["pages", "minutes", "bought"])).run()
    assert not at.exception
    named = [link.label for link in at.get("page_link")]
    assert "**shop.csv**" in named and used not in named and t("common.dataset_begun") in words(at)
    assert f"In use: {used.strip('*')}" in words(at)
    at.button(key="data-use").click().run()
    assert "In use:" not in words(at) and "**shop.csv**" in [link.label for link in at.get("page_link")]


@pytest.mark.slow
def test_column_names_are_shown_literally(jobs):  # noqa: F811
    names = [*HOSTILE, "bought"]
    at = upload("hostile.csv", table(names))
    assert not at.exception
    shown = at.dataframe[0].value
    assert list(shown.iloc[:, 0]) == names  # cells of a table are never markup
    for name in names:
        at.selectbox(key="data.target").set_value(name).run()
        assert not at.exception
        said = words(at)
        assert f"**{escape(name)}**" in said
        chart = json.loads(at.get("plotly_chart")[0].proto.spec)
        assert chart["layout"]["xaxis"]["title"]["text"] == escape(name)
        for raw in HOSTILE:
            assert raw not in said and raw not in json.dumps(chart, ensure_ascii=False)


def test_a_file_that_cannot_be_read_says_why_and_offers_reading_settings(jobs):  # noqa: F811
    at = upload("page.csv", b"<!DOCTYPE html><html><body>login</body></html>")
    assert not at.exception
    assert "web page" in at.error[0].value
    assert t("data.reading_settings") in [e.label for e in at.expander]


def test_an_empty_upload_says_so_and_keeps_the_page(jobs):  # noqa: F811
    at = upload("empty.csv", b"")
    assert not at.exception and "The file is empty (0 bytes)." in at.error[0].value
    assert at.get("file_uploader")


def test_reading_settings_change_what_is_understood(jobs):  # noqa: F811
    at = upload("semi.csv", table(["a", "b", "bought"], separator=";"))
    assert "3 columns" in words(at)
    at.text_input(key="data.read.separator").set_value("|").run()
    assert not at.exception and ("1 column" in words(at) or at.error)


@pytest.mark.slow
def test_blocking_problems_disable_the_button_with_the_reason_beside_it(jobs):  # noqa: F811
    rows = b"a,b,label\n" + b"".join(b"%d,%d,yes\n" % (i, i * 3 % 17) for i in range(50))
    at = upload("one_class.csv", rows)
    at.selectbox(key="data.target").set_value("label").run()
    button = at.button(key="data-use")
    assert button.disabled
    assert "blocking" in words(at) and "class" in words(at)


@pytest.mark.slow
def test_a_column_can_be_dropped_and_treated_differently(jobs):  # noqa: F811
    at = open_page("data")
    at.button(key="data-sample-visits").click().run()
    at.session_state["data-columns"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    at.run()
    name = at.dataframe[0].value.iloc[0, 0]
    at.toggle(key=f"data.detail.use.{name}").set_value(False).run()
    assert not at.exception
    assert at.session_state[sources.CHOICES]["drop"] == [name]
    at.button(key="data-use").click().run()
    assert engine.library().specs()[0][1].drop == (name,)


@pytest.mark.slow
def test_task_group_and_split_are_kept_in_the_spec(jobs):  # noqa: F811
    at = open_page("data")
    at.button(key="data-sample-visits").click().run()
    at.selectbox(key="data.positive").set_value("no").run()
    at.selectbox(key="data.group").set_value("source").run()
    at.slider(key="data.split.test_share").set_value(0.2).run()
    assert not at.exception
    at.button(key="data-use").click().run()
    spec = engine.library().specs()[0][1]
    assert (spec.positive, spec.group, spec.test_share) == ("no", "source", 0.2)


@pytest.mark.slow
def test_copies_are_kept_together_until_they_are_let_apart(jobs):  # noqa: F811
    rows = table(["pages", "minutes", "bought"]).splitlines(keepends=True)
    at = upload("shop.csv", b"".join([*rows, *rows[1:11]]))
    assert "Copies are kept together on one side of the split" in words(at)
    at.selectbox(key="data.split.copies").set_value("apart").run()
    assert not at.exception
    assert "Copies are split like any rows, as asked" in words(at)
    at.button(key="data-use").click().run()
    assert engine.library().specs()[0][1].copies == "apart"


@pytest.mark.slow
def test_the_address_brings_the_choices_back(jobs):  # noqa: F811
    at = open_page("data")
    at.button(key="data-sample-delivery").click().run()
    at.button(key="data-use").click().run()
    dataset_id = at.query_params["data"]
    fresh = open_page("data", data=dataset_id)
    assert not fresh.exception and fresh.selectbox(key="data.target").value == "minutes"
    assert session.DATA in fresh.query_params


def test_files_used_before_are_offered(jobs):  # noqa: F811
    engine.library().add(table(["a", "b", "bought"]), "before.csv")
    at = open_page("data")
    stored = engine.library().files()[0]
    at.selectbox(key="data-known").set_value(stored.source).run()
    assert not at.exception and "60 rows" in words(at)


@pytest.mark.slow
def test_a_workbook_offers_its_sheets_as_a_list(jobs):  # noqa: F811
    import io

    from openpyxl import Workbook

    book = Workbook()
    for title, shift in (("first", 0), ("second", 100)):
        sheet = book.active if title == "first" else book.create_sheet()
        sheet.title = title
        sheet.append(["a", "b", "bought"])
        for i in range(40 + shift):
            sheet.append([i % 13, i % 7, "yes" if i % 3 else "no"])
    data = io.BytesIO()
    book.save(data)
    at = upload("book.xlsx", data.getvalue())
    assert not at.exception and "40 rows" in words(at)
    sheets = at.selectbox(key="data.read.sheet.list")
    assert sheets.options[1:] == ["first", "second"]
    sheets.set_value("second").run()
    assert not at.exception and "140 rows" in words(at)
    at.button(key="data-use").click().run()
    assert engine.library().specs()[0][1].read.sheet == "second"


@pytest.mark.slow
def test_another_sheet_with_other_columns_is_understood_anew(jobs):  # noqa: F811
    import io

    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["note"])
    for line in ("read me", "the rows are on the next sheet"):
        book.active.append([line])
    rows = book.create_sheet("rows")
    rows.append(["a", "b", "bought"])
    for i in range(60):
        rows.append([i % 13, i % 7, "yes" if i % 3 else "no"])
    data = io.BytesIO()
    book.save(data)
    at = upload("book.xlsx", data.getvalue())
    assert at.selectbox(key="data.target").value == "note"
    at.selectbox(key="data.read.sheet.list").set_value("rows").run()
    assert not at.exception and at.selectbox(key="data.target").value == "bought"  # not the first column left over
    assert not at.button(key="data-use").disabled


@pytest.mark.slow
def test_a_column_with_two_findings_can_be_changed_at_either(jobs):  # noqa: F811
    lines = ["customer,order,minutes"]
    for i in range(900):
        courier = "" if i == 7 else f"CITY{i % 200:03d}DEL"
        lines.append(f"{courier},{'snack' if i % 3 else 'meal'},{20 + i % 17}")
    at = upload("couriers.csv", "\n".join(lines).encode())
    at.selectbox(key="data.target").set_value("minutes").run()
    assert not at.exception
    said = [m.value for m in at.markdown if "customer" in m.value and "material/warning" in m.value]
    assert len(said) == 2, "the file was made to raise two findings about one column"
    switches = [x.key for x in at.toggle if x.key.endswith(".use.customer")]
    assert len(switches) == 2
    at.toggle(key=switches[1]).set_value(False).run()
    assert not at.exception and at.session_state[sources.CHOICES]["drop"] == ["customer"]


def test_a_recipe_without_a_target_is_understood_as_its_run_understood_it(tmp_path):
    p = [0.1, 0.8, 0.3, 0.9] * 30
    pd.DataFrame({"a": [0.5, 1.5, 2.5] * 40, "p_no": [1 - x for x in p], "p_yes": p}).to_csv(
        tmp_path / "t.csv", index=False
    )
    spec = DatasetSpec(source=str(tmp_path / "t.csv"), target="teacher's answer", answer_columns=("p_no", "p_yes"))
    found = understanding.profile(spec.model_dump(mode="json"), spec.read, "t")
    assert (found.target, found.classes) == ("teacher's answer", ("no", "yes"))
    assert [c.name for c in found.columns if c.used] == ["a", "teacher's answer"]
    assert "no_true_labels" in {problem.code for problem in found.problems}


@pytest.mark.slow
def test_a_models_answers_stand_in_for_a_target(jobs):  # noqa: F811
    yes = [0.05 + 0.9 * (i % 7) / 6 for i in range(90)]
    frame = pd.DataFrame({"pages": [i * 37 % 11 for i in range(90)], "p_no": [1 - p for p in yes], "p_yes": yes})
    at = upload("answers.csv", frame.to_csv(index=False).encode())
    at.multiselect(key="data.answer_columns").set_value(["p_no", "p_yes"]).run()
    assert not at.exception and at.selectbox(key="data.target").value == MADE_TARGET
    assert "figures measure agreement with the teacher, not truth" in words(at)
    at.button(key="data-use").click().run()
    assert not at.exception and at.title[0].value == t("distill.title")
    _, spec = engine.library().specs()[0]
    assert (spec.target, spec.answer_columns, spec.drop) == (MADE_TARGET, ("p_no", "p_yes"), ("p_no", "p_yes"))
    assert at.selectbox(key="distill.teacher").value == "soft_labels"
    assert not at.button(key="distill-start").disabled  # the whole lesson comes from these very columns
    at = open_page("what_if", data=engine.library().specs()[0][0])
    assert not at.exception and not at.button(key="whatif-start").disabled  # T alone: the share is whole


@pytest.mark.slow
def test_a_target_of_the_table_is_back_when_no_column_holds_answers(jobs):  # noqa: F811
    at = upload("shop.csv", table(["pages", "minutes", "bought"]))
    at.multiselect(key="data.answer_columns").set_value(["minutes"]).run()
    assert not at.exception and at.selectbox(key="data.target").value == MADE_TARGET
    at.multiselect(key="data.answer_columns").set_value([]).run()
    assert not at.exception and at.selectbox(key="data.target").value == "bought"
    assert not at.session_state[sources.CHOICES]["drop"]


@pytest.mark.slow
def test_a_published_split_is_kept_until_it_is_let_go(jobs):  # noqa: F811
    rows = table(["pages", "minutes", "bought"]).splitlines(keepends=True)
    word = [b"set", *(b"test" if i % 4 == 0 else b"train" for i in range(len(rows) - 1))]
    at = upload("shop.csv", b"".join(w + b"," + r for w, r in zip(word, rows, strict=True)))
    assert not at.exception
    assert at.selectbox(key="data.part").value == "set"
    at.selectbox(key="data.part").set_value(None).run()
    assert not at.exception and "holds a split" in words(at)
    at.selectbox(key="data.part").set_value("set").run()
    at.button(key="data-use").click().run()
    assert engine.library().specs()[0][1].part == "set"
