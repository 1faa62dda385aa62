"""What a row is: the card of each kind of data, pieces as a run's own view cuts them, steps, and what was cut off."""

from __future__ import annotations

import html
import re

import numpy as np
import pandas as pd
import pytest

from kd_core.data.preparation import profile_source
from kd_core.data.profile import profile_table
from kd_core.data.views.tokens import TokensView
from kd_core.scenarios import SCENARIOS, default_spec
from kd_core.scenarios.samples import write_sample
from kd_core.specs import ReadSpec
from pages.ui.data import one_row, pieces, row_card
from pages.ui.shared.text import t
from tests.pages.screen import HOSTILE, open_page


def understood(name, folder, rows=400):
    """A small sample of a scenario, understood as its run understands it."""
    data = default_spec(name).dataset
    path = write_sample(name, folder, rows)
    told = {"more_targets": data.more_targets, "group": data.group, "time": data.time, "kinds": data.kinds}
    return profile_source(
        str(path), ReadSpec(), target=data.target, task=data.task, positive=data.positive, **told
    ), data


def card(name, folder, at=0):
    found, data = understood(name, folder)
    targets = one_row.targets_of(found, {"more_targets": data.more_targets})
    return found, row_card.row(found, at, targets, pieces.cutter(found, f"{name}-{folder}"))


def said(drawn):
    """The words of a card, as a person reads them."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", drawn))).replace("\u2060", "")


@pytest.mark.parametrize("name", SCENARIOS.names())
def test_every_scenario_has_a_card_with_its_answers(name, tmp_path):
    found, data = understood(name, tmp_path, 1500 if name == "next_product" else 400)
    if name == "search":
        rows = found.frame[found.frame["search"] == found.frame["search"].iloc[0]]
        drawn = row_card.group(found, rows, "s1", "search")
    else:
        targets = one_row.targets_of(found, {"more_targets": data.more_targets})
        drawn = row_card.row(found, 3, targets, pieces.cutter(found, f"{name}-{tmp_path}"))
        words, cells = said(drawn), found.frame.iloc[3]
        assert targets == [data.target, *(data.more_targets or ())]
        for target in targets:
            value = cells[target]
            assert (
                f"{value:,.6g}" if isinstance(value, float) and task_alone(found) else str(value)
            ) in words or target in words
        shown = [c for c in found.columns if c.kind not in ("picture", "items")]
        assert name == "next_product" or all(c.name in words for c in shown)
    assert "{" not in drawn and "None" not in said(drawn)


def task_alone(found):
    from kd_core.task import task_of

    return not task_of(found.task).each_alone


@pytest.mark.parametrize("name", ["service", "service_chinese"])
def test_pieces_are_those_of_the_view_and_put_together_the_text(name, tmp_path):
    found, drawn = card(name, tmp_path, at=5)
    view = TokensView(pieces.cutter(found, f"{name}-{tmp_path}").view.types, found.task, 0)
    view.fit(found.frame, None, None)
    written = found.frame["message"].iloc[5]
    spans = re.findall(r"<span(?: class='(\w+)')?>([^<]*)</span>", drawn.split("class='pieces'>")[1].split("</p>")[0])
    shown = [html.unescape(piece).replace("\u2060", "") for _, piece in spans]
    assert "".join(shown) == written.replace(" ", "")
    assert len(shown) == len(view.tokenizer.encode(written).ids)
    if name == "service_chinese":
        assert all(len(piece) == 1 or piece.isascii() for piece in shown)


def _numbered(text, count):
    """Texts that differ, so that none is taken for a constant."""
    return [f"{text} {'abcdefgh'[i % 8]}" for i in range(count)]


def test_what_students_do_not_read_is_struck_through_and_counted():
    frame = pd.DataFrame(
        {"said": [*_numbered("one two three four five", 200), "one " * 300], "y": ["a", "b"] * 100 + ["a"]}
    )
    found = _profile(frame, "y", kinds={"said": "text"})
    cutter = pieces.cutter(found, "long")
    drawn = row_card.row(found, 200, ["y"], cutter)
    words = said(drawn)
    assert cutter.length == 8 and drawn.count("class='beyond'") == row_card.PIECES - 8
    assert said(t("data.row.beyond", n="292")).strip() in words and "and 150 more pieces" in words
    assert "class='beyond'" not in row_card.row(found, 0, ["y"], cutter)


def test_the_length_counts_over_all_texts_of_a_row():
    frame = pd.DataFrame(
        {"a": _numbered("one two three four", 40), "b": _numbered("six seven eight nine", 40), "y": ["p", "q"] * 20}
    )
    found = _profile(frame, "y", kinds={"a": "text", "b": "text"})
    cutter = pieces.cutter(found, "two columns")
    first, second = cutter.cut(["one " * cutter.length, "six seven"])
    assert all(p.read for p in first) and not any(p.read for p in second)


def test_unknown_pieces_are_framed():
    frame = pd.DataFrame({"said": _numbered("one two three", 40), "y": ["p", "q"] * 20})
    found = _profile(frame, "y", kinds={"said": "text"})
    (cut,) = pieces.cutter(found, "unknown").cut(["one ж two"])
    assert [p.known for p in cut] == [True, False, True]


def _profile(frame, target, **told):
    from kd_core.data.table import Table

    return profile_table(Table(frame, "csv"), target=target, **told)


def test_a_row_of_a_table_tells_types_what_is_missing_and_what_is_not_used():
    frame = pd.DataFrame(
        {
            "number": pd.array(["1.5", None] * 40, "string"),
            "sort": pd.array(["a", "b"] * 40, "string"),
            "same": pd.array(["x"] * 80, "string"),
            "y": pd.array(["yes", "no"] * 40, "string"),
        }
    )
    found = _profile(frame, "y")
    words = said(row_card.row(found, 1, ["y"], None))
    assert "number · number missing" in words and "sort · category b" in words
    assert f"same · constant · {t('data.row.unused')} x" in words and "y no" in words


def test_hostile_cells_stay_words():
    frame = pd.DataFrame({"said": [*HOSTILE] * 12, "y": ["p", "q"] * 30})
    found = _profile(frame, "y", kinds={"said": "category"})
    for at in range(len(HOSTILE)):
        drawn = row_card.row(found, at, ["y"], None)
        assert set(re.findall(r"<(\w+)", drawn)) == {"div", "span", "dl", "dt", "dd"} and "\u202e" not in drawn
        assert not re.search(r"<[^>]+\son\w+=", drawn)


def test_a_long_cell_and_many_columns_say_how_much_was_cut_off():
    frame = pd.DataFrame({f"c{i}": np.arange(80) % 7 + i for i in range(50)})
    frame["said"] = ["x" * 500 + str(i % 3) for i in range(80)]
    frame["y"] = ["p", "q"] * 40
    found = _profile(frame, "y", kinds={"said": "category"})
    words = said(row_card.row(found, 0, ["y"], None))
    assert said(t("data.row.more_columns", n="11")) in words
    assert said(row_card._short("x" * 501)).endswith("and 341 more letters ")


def test_labels_that_hold_are_full_and_the_others_empty(tmp_path):
    found, drawn = card("marketing", tmp_path)
    cells = found.frame.iloc[0]
    targets = ["coffee", "lunch", "groceries", "fashion", "fitness", "cinema"]
    full = re.findall(r"<span class='answer'>✓ (\w+)</span>", drawn)
    assert full == [n for n in targets if str(cells[n]) in ("1", "1.0")] and len(
        re.findall("answer off", drawn)
    ) == 6 - len(full)


def test_several_targets_show_all_their_answers(tmp_path):
    found, drawn = card("profile", tmp_path)
    cells = found.frame.iloc[0]
    words = said(drawn)
    assert (
        f"segment {cells['segment']}" in words
        and f"churns {cells['churns']}" in words
        and drawn.count("class='answer'") == 3
    )


def test_a_history_is_a_strip_with_what_came_next(tmp_path):
    found, data = understood("next_product", tmp_path, 1500)
    at = 4
    drawn = row_card.row(found, at, [found.target], None)
    (name,) = [c.name for c in found.columns if c.kind == "items"]
    items = re.findall(r"<li>([^<]*)</li>", drawn)
    assert items and all(item in found.classes for item in items) and len(items) <= row_card.ITEMS
    assert f"<li class='answer'>{found.frame[found.target].iloc[at]}</li>" in drawn
    assert str(t("data.row.items", n=str(len(items)))) in drawn and found.frame[name].iloc[at].startswith(items[0])
    del data


def test_documents_stand_in_order_of_grade_with_dots(tmp_path):
    found, _ = understood("search", tmp_path)
    name = found.frame["search"].iloc[0]
    rows = found.frame[found.frame["search"] == name]
    drawn = row_card.group(found, rows, str(name), "search")
    dots = re.findall(r"aria-label='(\d) of (\d)'>([●○]+)<", drawn)
    assert [int(grade) for grade, _, _ in dots] == sorted(rows["grade"].astype(int), reverse=True)
    assert all(d.count("●") == int(grade) and len(d) == int(most) == 4 for grade, most, d in dots)
    assert f"<dd>{rows['query'].iloc[0]}</dd>" in drawn  # what all have in common stands once, above


def test_a_large_group_says_what_is_not_drawn(tmp_path):
    found, _ = understood("search", tmp_path)
    drawn = row_card.group(found, found.frame.head(30), "s1", "search")
    assert drawn.count("<li>") == row_card.DOCUMENTS and said(t("data.row.more_documents", n="18")) in said(drawn)


@pytest.mark.slow
def test_a_picture_is_drawn_whole(tmp_path):
    import base64
    import io

    from PIL import Image

    from kd_core.data.pictures.column import pixels_of

    found, drawn = card("product_pictures", tmp_path, at=2)
    (link,) = re.findall(r"src='data:image/png;base64,([^']+)'", drawn)
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(link))))
    assert (shown == pixels_of(found.frame["photo"].iloc[[2]])[0]).all()


def drawn_on(at):
    (body,) = [e.proto.body for e in at.get("html") if "kd-row" in e.proto.body]
    return body.split("</style>")[1]


@pytest.mark.slow
def test_rows_are_stepped_through_by_button_and_number():
    at = open_page("data")
    at.button(key="data-sample-delivery").click().run()
    assert not at.exception and at.button(key="data-row-before").disabled
    seen = [drawn_on(at)]
    at.button(key="data-row-after").click().run()
    seen.append(drawn_on(at))
    assert at.number_input(key=one_row.KEY).value == 2 and not at.button(key="data-row-before").disabled
    at.number_input(key=one_row.KEY).set_value(10_000).run()
    seen.append(drawn_on(at))
    assert at.button(key="data-row-after").disabled
    at.button(key="data-row-before").click().run()
    at.number_input(key=one_row.KEY).set_value(1).run()
    assert len(set(seen)) == 3 and drawn_on(at) == seen[0]
    assert (at.button(key="data-row-after").proto.shortcut, at.button(key="data-row-before").proto.shortcut) == (
        "n",
        "p",
    )


@pytest.mark.slow
def test_another_file_begins_at_a_row_that_it_has():
    at = open_page("data")
    at.button(key="data-sample-delivery").click().run()
    at.number_input(key=one_row.KEY).set_value(10_000).run()
    at.button(key="data-sample-reviews_chinese").click().run()
    assert not at.exception and at.number_input(key=one_row.KEY).value <= 4000


@pytest.mark.slow
def test_rankings_are_stepped_through_by_group():
    at = open_page("data")
    at.button(key="data-sample-searches").click().run()
    assert not at.exception and at.number_input(key=one_row.KEY).max == 1200
    before = drawn_on(at)
    at.button(key="data-row-after").click().run()
    assert drawn_on(at) != before and "<dd>s2</dd>" in drawn_on(at)
