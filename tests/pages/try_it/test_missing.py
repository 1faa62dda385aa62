"""Try it answers for a missing cell of every kind as the engine does, names what was never taught, and reads what the file writes."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import kd_core
from kd_core.export.known_labels import looked_up
from kd_core.export.standalone.unseen import unseen
from kd_core.safe_io import write_json
from pages.ui.shared import engine, example
from pages.ui.shared.text import Safe, plain, t
from tests.pages.screen import jobs, open_page, words  # noqa: F401


def form() -> None:
    import pandas as pd
    import streamlit as st

    from kd_core.data.plain.number_text import NumberFormat
    from kd_core.data.types.base import ColumnType
    from pages.ui.try_it import row_form

    types = {
        "n": ColumnType("number"),
        "price": ColumnType("number", number=NumberFormat(",", thousands=True)),
        "day": ColumnType("datetime", date_format="%d.%m.%Y"),
        "by": ColumnType("category"),
        "odd": ColumnType("category"),
        "said": ColumnType("text"),
        "shot": ColumnType("picture"),
    }
    row = {"n": 1.5, "price": 43.67, "day": "09.03.2024", "by": "web", "odd": "missing", "said": "hello", "shot": None}
    rows = pd.DataFrame([row, {**row, "by": "shop", "odd": "x"}])
    st.session_state["row"] = row_form.fields(types, row, rows, "row")


def test_a_cell_of_every_kind_can_be_left_out_and_stays_so():
    at = AppTest.from_function(form).run()
    assert at.session_state["row"] == {
        "n": 1.5,
        "price": 43.67,
        "day": "09.03.2024",
        "by": "web",
        "odd": "missing",
        "said": "hello",
        "shot": None,
    }
    lists = {box.label: box for box in at.selectbox}
    assert lists["by"].options == ["missing", "web", "shop"] and "(missing)" in lists["odd"].options
    # A field that is emptied goes back to a default of its own, where it has one.
    assert not any(box.proto.HasField("default") for box in (*at.number_input, *at.selectbox))
    at.number_input[0].set_value(None)
    for box in (*at.text_input, *at.text_area):
        box.set_value("")
    for box in at.selectbox:
        box.set_value(None)
    at.checkbox[0].check()
    at.run().run()
    assert not at.exception and set(at.session_state["row"].values()) == {None}


def test_a_field_takes_what_the_file_writes_and_shows_an_example():
    at = AppTest.from_function(form).run()
    price = next(box for box in at.text_input if box.label == "price")
    day = next(box for box in at.text_input if box.label == "day")
    assert price.value == "43,67" and day.help == "Written like 29.02.2024, as in the file."
    for written, read in (("1.043,5", 1043.5), ("7", 7.0), ("dear", "dear"), ("NA", "NA")):
        price.set_value(written).run()
        assert at.session_state["row"]["price"] == read


@pytest.fixture
def opened(jobs):  # noqa: F811
    _, run_id = example.adopt()
    return open_page("runs", {"tab": str(t("runs.result.tabs_try"))}, run=run_id), run_id


def boxes(at, kind):
    return [b for b in getattr(at, kind) if b.key.startswith("try.") and ".0." in b.key]


def told(at):
    (table,) = [one.value for one in at.table if "Answer" in one.value.columns]
    return {plain(str(name)): plain(str(shares)) for name, shares in zip(table.index, table["Shares"], strict=True)}


def test_the_answer_to_a_missing_cell_is_the_engines(opened):
    at, run_id = opened
    folder = engine.store().folder(run_id)
    target = folder.result()["dataset"]["target"]
    row = pd.read_parquet(folder.path / "artifacts" / "rows.parquet").iloc[0].to_dict()
    student = list(told(at))[2]
    assert "Missing here" not in words(at)
    for kind in ("number_input", "selectbox"):
        box = boxes(at, kind)[0]
        box.set_value(None).run()
        row[box.key.rpartition(".")[2]] = None
        assert not at.exception and f"Missing here: {', '.join(n for n in row if row[n] is None)}." in plain(
            Safe(words(at))
        )
        wanted = kd_core.load(folder.path, student).predict([{k: v for k, v in row.items() if k != target}]).iloc[0]
        for part in told(at)[student].split(" · "):
            name, _, share = part.partition(": ")
            assert share == f"{100 * wanted[f'p_{name}']:.0f}\u00a0%"


def test_a_category_that_was_never_taught_is_told_as_the_bundle_tells_it(opened):
    at, run_id = opened
    folder = engine.store().folder(run_id)
    model = kd_core.load(folder.path, list(told(at))[2])
    assert "was not taught" not in words(at)
    box = boxes(at, "selectbox")[0]
    name = box.key.rpartition(".")[2]
    at = open_page("runs", {"tab": str(t("runs.result.tabs_try")), box.key: "never seen"}, run=run_id)  # as typed
    row = pd.read_parquet(folder.path / "artifacts" / "rows.parquet").iloc[0].to_dict() | {name: "never seen"}
    (sentence,) = unseen(looked_up(model.kept(model.student["onnx"])), model.deployed.reader.read([row])[0])
    assert sentence.startswith(f"1 row holds a value of {name}") and sentence in plain(Safe(words(at)))
    assert model.untaught(row) == (sentence,)


def test_a_baseline_that_is_taken_home_stands_once_under_one_name(opened):
    at, run_id = opened
    student = list(told(at))[2]
    kept_as = engine.store().folder(run_id).path / "artifacts" / "model.json"
    model = json.loads(kept_as.read_text())
    for one in model["students"]:
        one["arm"] = "baseline"
    write_json(kept_as, model)
    at = open_page("runs", {"tab": str(t("runs.result.tabs_try"))}, run=run_id)
    names = list(told(at))
    assert names[:2] == ["Teacher", "Baseline, to take home"] and not {student, "Baseline (no teacher)"} & set(names)
    boxes(at, "number_input")[0].set_value(None).run()
    assert next(iter(told(at))) == "Baseline, to take home" and "The baseline answered" not in words(at)
