"""Histories on the screens: strips, lists side by side, and soft labels of a whole catalogue."""

from __future__ import annotations

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


def test_an_item_of_several_words_stays_one_where_it_is_the_whole_history(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text(EVENTS.replace("film", "the long film "))
    app = AppTest.from_function(_data, args=(str(path),), default_timeout=60).run()
    (strip,) = [one.value for one in app.markdown if "arrow_forward" in one.value]
    assert ":blue-badge[the long film 0]" in strip and ":gray-badge" not in strip


def test_the_data_page_shows_a_history_and_what_came_next(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text(EVENTS)
    app = AppTest.from_function(_data, args=(str(path),), default_timeout=60).run()
    assert not app.exception
    (strip,) = [one.value for one in app.markdown if "arrow_forward" in one.value]
    assert ":blue-badge[film0]" in strip and ":green-badge[film1]" in strip
    app.number_input[0].set_value(4).run()
    (strip,) = [one.value for one in app.markdown if "arrow_forward" in one.value]
    assert ":gray-badge[film0]" in strip and strip.count("badge[") == 5


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
