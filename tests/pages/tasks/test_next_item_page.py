"""Histories on the screens: strips, lists side by side, and soft labels of a whole catalogue."""

from __future__ import annotations

import json

import pandas as pd
from streamlit.testing.v1 import AppTest

from pages.ui.tasks import next_item

EVENTS = "\n".join(
    ["user,item,time", *(f"u{user},film{(user + at) % 7},{at}" for user in range(40) for at in range(5))]
)


def test_histories_are_sorted_by_their_length():
    labels, counts = next_item.lengths([1, 1, 2, 4, 9, 60])
    assert dict(zip(labels, counts, strict=True)) == {
        "1": 2,
        "2": 1,
        "3–4": 1,
        "5–9": 1,
        "10–19": 0,
        "20–49": 0,
        "50+": 1,
    }


def _data(path):
    from kd_core.data.preparation import profile_source
    from pages.ui.tasks import next_item

    next_item.examples(profile_source(path, target="item", group="user", time="time", task="next_item"))


def test_the_data_page_shows_how_long_histories_are_and_what_is_popular_with_its_name(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text(EVENTS.replace("film", "the long film "))
    app = AppTest.from_function(_data, args=(str(path),), default_timeout=60).run()
    assert not app.exception and not app.number_input  # a row is chosen once on the page
    lengths, popular = (json.loads(chart.proto.spec) for chart in app.get("plotly_chart"))
    assert lengths["data"][0]["y"] == [40, 40, 80, 0, 0, 0, 0]
    counted = pd.read_csv(path).query("time > 0")["item"].value_counts()
    assert popular["data"][0]["x"] == sorted(popular["data"][0]["x"], reverse=True)
    assert set(popular["layout"]["yaxis"]["ticktext"]) == set(counted.index)


def _ranked():
    from kd_core.data.plain.questions import Questions
    from pages.ui.tasks import next_item
    from pages.ui.try_it.models import Reply

    questions = Questions.of({"answers": [["item", "first", 0, 4, []]], "classes": ["a *b*", "c", "d"]})
    replies = [("one", Reply("c", {"c": 0.6, "a *b*": 0.3}, 0.1)), ("two", Reply("d", {"d": 0.5}, 0.1))]
    assert next_item.ranked(questions, replies, "a *b*")


def test_lists_stand_side_by_side_with_the_right_item_marked():
    app = AppTest.from_function(_ranked, default_timeout=60).run()
    assert not app.exception
    frame = app.table[0].value
    assert list(frame.columns) == ["one", "two"] and list(frame.index) == ["1", "2"]
    assert frame["one"].iloc[1].startswith("✓") and frame["two"].iloc[1] == ""
    assert "place 2" in app.caption[0].value and "not among" in app.caption[1].value
