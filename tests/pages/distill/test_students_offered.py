"""The students that the Distill screen offers beside sizes of MLP."""

import re

import pytest

from kd_core.runs.choosing.candidates import candidates
from kd_core.scenarios import default_spec
from kd_core.specs import Choice
from pages.ui.runs import draft
from pages.ui.shared import engine, text
from tests.pages.distill.test_distill import at, best, name_students, start  # noqa: F401
from tests.pages.distill.test_time import facts_of
from tests.pages.screen import jobs, open_page, words  # noqa: F401


def test_students_that_cut_numbers_are_offered_by_the_sizes_they_have_and_can_be_started(at, jobs):  # noqa: F811
    names = [c.label for c in at.checkbox]
    assert {"piecewise tiny", "piecewise small", "additive"} <= set(names) and "additive tiny" not in names
    for box in at.checkbox:
        if box.label in ("additive", "piecewise small"):
            box.check()
    at.run()
    asked = [s.arch for s in start(at, jobs).students]
    assert [(a.name, a.settings.get("size")) for a in asked][2:] == [("additive", None), ("piecewise", "small")]


def test_what_students_weigh_stands_in_columns_under_titles(at):  # noqa: F811
    lines = [str(e.proto.body) for e in at.get("html") if 'class="kd-weighs"' in str(e.proto.body)]
    cells = [[text.plain(one) for one in re.findall(r"<span>(.*?)</span>", line)] for line in lines]
    assert cells[0] == ["Weights", "File", "FLOPs"] and {len(line) for line in cells} == {3}
    assert len(cells) > 4 and cells[1] == ["≈ 250", "≈ 5.4 KB", "480"]


def test_names_of_tree_students_are_told_as_trees_and_leaves(at):  # noqa: F811
    told = [c.value for c in at.caption if "26 of 11" in c.value]
    assert len(told) == 1 and "tiny 26 of 11, small 36 of 15, base 58 of 31, large 165 of 31." in told[0]
    assert "its bytes depend on the data, and a larger name can be the smaller file" in told[0]


def test_what_a_lesson_would_do_stands_below_the_three_columns(at):  # noqa: F811
    columns = next(
        block for block in at.main.children.values() if block.type == "flex_container" and len(block.children) == 3
    )
    assert not columns.get("plotly_chart") and at.main.get("plotly_chart")


@pytest.mark.slow
def test_a_table_with_texts_offers_students_and_a_teacher_that_read_words(jobs, tmp_path):  # noqa: F811
    from tests.data.views.test_text_views import text_table

    dataset = engine.library().save_spec(text_table(tmp_path / "a.csv"))
    page = open_page("distill", data=dataset)
    assert not page.exception and "textcnn small" in words(page)  # among the candidates
    names = [c.label for c in name_students(page).checkbox]
    assert {"textcnn tiny", "textcnn small", "bag tiny", "bag small"} < set(names)
    for box in page.checkbox:
        if box.label in ("tiny", "small"):
            box.uncheck()
    next(box for box in page.checkbox if box.label == "textcnn tiny").check().run()
    page.selectbox(key="distill.teacher.from").set_value("here").run()
    page.selectbox(key="distill.teacher").set_value("sklearn").run()
    page.selectbox(key="distill.teacher.sklearn.view").set_value("tfidf").run()
    spec = start(page, jobs)
    assert [s.arch.name for s in spec.students] == ["textcnn"]
    assert (spec.teacher.name, spec.teacher.settings["view"]) == ("sklearn", "tfidf")


def test_a_table_without_texts_offers_no_student_that_reads_words(at):  # noqa: F811
    assert not [c.label for c in at.checkbox if "textcnn" in c.label]
    assert "textcnn" not in at.selectbox(key="distill_own_arch").options


def test_students_stand_under_what_they_are_and_read(at):  # noqa: F811
    assert "**MLP** · reads table" in words(at)
    shown = [str(m.value) for m in at.markdown]
    assert shown.count("**MLP** · reads table") == 1


def more(page):
    """The fold that holds further students."""
    return [e for e in page.expander if "more students" in e.label]


@pytest.mark.slow
def test_a_long_list_shows_what_suits_the_data_and_the_chosen_ones_and_folds_the_rest(jobs):  # noqa: F811
    dataset = engine.library().save_spec(default_spec("service").dataset)
    page = name_students(open_page("distill", data=dataset))
    (folded,) = more(page)
    assert "more students" in folded.label
    inside = {c.label for c in folded.checkbox}
    outside = {c.label for c in page.checkbox} - inside
    assert {"bag tiny", "bag small", "textcnn small"} <= outside and len(outside) <= 10  # usual, chosen and best ones
    assert {"terms tiny", "recurrent small"} <= inside and f"{len(inside)} more" in folded.label
    next(c for c in page.checkbox if c.label == "terms tiny").check().run()
    assert "terms tiny" in {c.label for c in more(page)[0].checkbox}  # does not move from under the hand
    assert "terms tiny" in [s.name for s in start(page, jobs).students]
    page.switch_page("distill.py").run()  # comes back
    later = {c.label for c in more(page)[0].checkbox}
    box = next(c for c in page.checkbox if c.label == "terms tiny")
    assert box.value and "terms tiny" not in later and later < inside


@pytest.mark.slow
def test_a_short_list_is_shown_whole(jobs):  # noqa: F811
    dataset = engine.library().save_spec(default_spec("product_pictures").dataset)
    page = name_students(open_page("distill", data=dataset))
    assert not page.exception and not more(page)


@pytest.mark.parametrize("scenario", ["purchase", "service", "next_product"])
def test_every_architecture_that_is_tried_for_the_best_student_can_be_named(scenario):
    facts = facts_of(scenario)
    named = {s["arch"]["name"] for s in draft.presets(facts)}
    tried = candidates(draft.situation(facts), Choice(name="hinton")).students
    assert {s.arch.name for s in tried} <= named
