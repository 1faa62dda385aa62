"""Tables on a phone: every row a card with the names of its columns, chosen from a list where a table is clicked."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest
import streamlit as st

from pages.ui.access import aids, cards
from pages.ui.shared.text import t
from tests.pages.fixtures import done_run, store
from tests.pages.screen import open_page
from tests.pages.sweeps import make_sweep


def pairs(written):
    return re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", written)


def narrow(at):
    """Answer for a phone's browser."""
    at.session_state[aids.KEY] = {"narrow": True}
    return at.run()


def cards_of(at):
    return [str(e.proto.body) for e in at.get("html") if 'class="kd-cards"' in str(e.proto.body)]


def test_a_card_holds_each_value_with_its_columns_name_as_the_table_writes_it():
    frame = pd.DataFrame(
        {"star": ["☆"], "gain": [0.51234], "share": [0.123], "rows": [12345], "name": ["a <b> & c"], "none": [None]}
    )
    config = {
        "star": st.column_config.ButtonColumn(key="star"),
        "gain": st.column_config.NumberColumn("Gain", format="%+.2f"),
        "share": st.column_config.NumberColumn(format="percent"),
        "rows": st.column_config.NumberColumn(format="localized"),
    }
    said = cards.written(frame, 'the "list"', config)
    assert pairs(said) == [("Gain", "+0.51"), ("share", "12.3 %"), ("rows", "12,345"), ("name", "a &lt;b&gt; &amp; c")]
    assert 'aria-label="the &quot;list&quot;"' in said


def test_no_more_cards_than_can_be_scrolled_through():
    frame = pd.DataFrame({name: range(80) for name in "abcd"})
    assert cards.written(frame).count("<li>") == cards.MOST


def test_cards_after_the_first_ones_are_folded_and_short_values_stand_side_by_side():
    frame = pd.DataFrame({"name": ["a"] * 8, "short": ["yes"] * 8, "long": ["x" * 40] * 8, "middle": ["y" * 20] * 8})
    said = cards.written(frame, "list")
    first, folded = said.split('<details class="kd-more"><summary>Show 3 more</summary>')
    assert first.count("<li>") == cards.OPEN and folded.count("<li>") == 3
    assert re.findall(r'data-wide="(.)"><dt>(\w+)', said)[:4] == [
        ("3", "name"),
        ("1", "short"),
        ("3", "long"),
        ("2", "middle"),
    ]
    assert "<details" not in cards.written(frame.head(cards.OPEN))


@pytest.mark.parametrize("way", ["wide", "narrow"])
def test_a_phone_shows_the_runs_as_cards_and_opens_the_chosen_one(way):
    run_id = done_run("binary")
    at = open_page("runs")
    if way == "wide":
        assert len(at.dataframe) == 1 and not cards_of(at)
        return
    narrow(at)
    assert len(at.dataframe) == 0
    (said,) = [str(e.proto.body) for e in at.get("html") if 'class="kd-card"' in str(e.proto.body)]
    first, folded = said.split('<details class="kd-rest">')
    assert {"State", "Distilling", "Size"} <= {name for name, _ in pairs(first)}
    assert len(pairs(first)) <= 8 and {"Students", "Dataset", "Teacher"} <= {name for name, _ in pairs(folded)}
    (link,) = [one.proto for one in at.main.get("page_link") if f"run={run_id}" in one.proto.query_string]
    assert store().get(run_id).name in link.label and not any("-line" in str(box.key) for box in at.selectbox)


def test_the_card_of_a_run_keeps_the_filter_in_the_address():
    run_id = done_run("binary")
    at = narrow(open_page("runs", state="done"))
    (link,) = [one.proto for one in at.main.get("page_link") if f"run={run_id}" in one.proto.query_string]
    assert "state=done" in link.query_string


@pytest.mark.parametrize("page", ["runs", "compare"])
def test_a_wide_table_shows_what_fits_and_one_switch_brings_the_rest(page):
    run_id = done_run("binary")
    at = open_page(page, **({"runs": run_id} if page == "compare" else {}))
    (table,) = at.dataframe
    config, shown = json.loads(table.proto.columns), list(table.proto.column_order)
    assert 6 < len(shown) < len(table.value.columns)
    assert sum(config[name]["width"] for name in shown) <= cards.ROOM
    switch = next(one for one in at.toggle if one.key == f"{page}-more")
    assert switch.label == t("common.more_columns")
    switch.set_value(True).run()
    assert not at.dataframe[0].proto.column_order and len(at.dataframe[0].value.columns) > len(shown)


def test_the_most_wanted_columns_get_the_room():
    assert cards.fitting({"name": 60, "wide": 50, "small": 30, "tiny": 20}, 100) == ("name", "small")


@pytest.mark.slow
def test_a_phone_chooses_a_cell_of_a_what_if_from_its_cards():
    at = narrow(open_page("runs", run=make_sweep()))
    at.session_state["whatif-tab"], at.session_state["whatif-more"] = "Table", True
    at.run()
    choice = next(box for box in at.selectbox if box.key.startswith("whatif-table"))
    choice.select_index(2).run()
    assert at.query_params["cell"] and not at.exception


def test_a_phone_compares_and_picks_students_from_a_list():
    runs = [done_run("binary"), done_run("binary")]
    at = narrow(open_page("compare", runs=",".join(runs)))
    choice = next(box for box in at.multiselect if box.key.endswith("-line"))
    choice.select(1).run()
    assert not at.exception and len(at.session_state["compare-picked"]) == 1


def test_a_phones_card_of_a_student_shows_the_main_values_and_folds_the_rest():
    (said,) = cards_of(narrow(open_page("compare", runs=done_run("binary"))))
    first, folded = said.split('<details class="kd-rest">')[:2]
    assert "Distilling" in {name for name, _ in pairs(first)} and len(pairs(first)) <= 9
    assert {t("compare.column.baseline"), t("compare.column.flops")} <= {name for name, _ in pairs(folded)}
