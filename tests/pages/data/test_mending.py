"""The Data screen: what is mended where it is said."""

from __future__ import annotations

import pytest

from pages.ui.data import sources
from pages.ui.shared import engine
from pages.ui.shared.text import Safe, plain, t
from tests.pages.data.test_data import upload
from tests.pages.screen import HOSTILE, jobs, open_page, words  # noqa: F401

pytestmark = pytest.mark.slow


def census(rows: int = 90) -> bytes:
    """No row of names, padded cells, question marks."""
    lines = [
        f"{20 + i % 40}, {['Private', '?', 'State-gov'][i % 3]}, {i * 7 % 60}, {'>50K' if i % 4 else '<=50K'}"
        for i in range(rows)
    ]
    return "\n".join(lines).encode()


@pytest.mark.slow
def test_a_file_without_names_asks_what_to_predict_and_takes_pasted_names(jobs):  # noqa: F811
    at = upload("adult.data.csv", census())
    assert not at.exception and "90 rows · 4 columns" in words(at) and "holds values, not names" in words(at)
    assert t("data.ask_target") in words(at)
    bars = [plain(Safe(c.value)) for c in at.caption if c.value.startswith("Bars from the left")]
    assert "Bars from the left: <=50K in 23 rows, >50K in 67 rows" in bars  # two bars alone name no value
    assert at.button(key="data-use").disabled and t("data.reason_candidates") in words(at)
    keys = {x.key for x in at.selectbox}  # nothing on the page takes for chosen what is asked
    assert "data.target" in keys and not {"data.task", "data.positive"} & keys
    uses = list(at.dataframe[0].value.iloc[:, -1])
    assert t("data.use.target") not in uses and uses.count(t("data.use.target_unsure")) == 1
    assert t("data.is_target") not in words(at)
    marks = [m.value for m in at.markdown if m.value.startswith(":orange[:material/warning:]")]
    assert any(t("data.look", n=len(marks)) in m.value for m in at.markdown), "the badge counts what is listed"
    names = [x for x in at.text_area if x.key.startswith("data.read.names.settings")]
    names[0].set_value("age, work, hours, income").run()
    assert not at.exception and at.dataframe[0].value.iloc[:, 0].tolist() == ["age", "work", "hours", "income"]
    at.button(key="data-candidate-income").click().run()
    assert not at.exception and at.selectbox(key="data.target").value == "income"
    assert t("data.ask_target") not in words(at) and not at.button(key="data-use").disabled
    assert {"data.target", "data.task", "data.positive"} <= {x.key for x in at.selectbox}
    assert t("data.use.target") in list(at.dataframe[0].value.iloc[:, -1]) and t("data.is_target") in words(at)
    at.button(key="data-use").click().run()
    spec = engine.library().specs()[0][1]
    assert (spec.target, spec.read.names, spec.read.header) == ("income", ("age", "work", "hours", "income"), "auto")


@pytest.mark.slow
def test_the_first_row_can_be_called_names_where_the_message_says_so(jobs):  # noqa: F811
    at = upload("adult.csv", census())
    switch = next(x for x in at.segmented_control if ".header.fix-" in x.key)
    assert switch.value == "no"
    switch.set_value("yes").run()
    assert not at.exception and "89 rows" in words(at) and "holds values, not names" not in words(at)
    assert at.session_state[sources.CHOICES]["read"] == {"header": "yes"}
    back = next(x for x in at.segmented_control if ".header.settings" in x.key)  # and taken back in the settings
    back.set_value("no").run()
    assert "90 rows" in words(at)


def test_wrong_names_say_how_many_are_needed(jobs):  # noqa: F811
    at = upload("adult.csv", census())
    next(x for x in at.text_area if ".settings" in x.key).set_value("age, work").run()
    assert "2 names were given for 4 columns." in at.error[0].value
    next(x for x in at.text_area if ".settings" in x.key).set_value("a, b, c, d").run()
    assert not at.error and "90 rows" in words(at)


def test_words_for_missing_are_said_once_with_a_switch(jobs):  # noqa: F811
    at = upload("census.csv", b"age,work,hours,label\n" + census())
    assert "30 cells with a word for missing in 1 column: work (?: 30)." in words(at)
    switch = next(x for x in at.toggle if ".missing." in x.key and ".work." in x.key)
    assert switch.value is True
    switch.set_value(False).run()
    assert not at.exception and "word for missing" not in words(at)
    assert at.session_state[sources.CHOICES]["missing"] == {"work": False}
    at.button(key="data-use").click().run()
    assert engine.library().specs()[0][1].missing == {"work": False}


def attacks() -> bytes:
    kinds = ["normal"] * 60 + ["smurf"] * 40 + ["spy"] * 2 + ["perl"]
    return ("a,b,label\n" + "\n".join(f"{i % 13},{i * 7 % 11},{k}" for i, k in enumerate(kinds))).encode()


@pytest.mark.parametrize(("way", "classes"), [("drop", "2"), ("merge", "3")])
def test_rare_classes_are_mended_where_the_message_says_so(jobs, way, classes):  # noqa: F811
    at = upload("attacks.csv", attacks())
    assert at.button(key="data-use").disabled and "classes are too small" in words(at)
    at.radio[0].set_value(way).run()
    assert not at.exception and not at.button(key="data-use").disabled
    assert "with fewer than 3 rows were" in words(at)
    at.button(key="data-use").click().run()
    assert engine.library().specs()[0][1].rare == way


@pytest.mark.slow
def test_one_class_is_predicted_against_the_rest(jobs):  # noqa: F811
    at = upload("attacks.csv", attacks())
    at.radio[0].set_value("one").run()
    next(x for x in at.selectbox if ".one." in x.key).set_value("normal").run()
    next(x for x in at.button if ".one-take." in (x.key or "")).click().run()
    assert not at.exception and at.selectbox(key="data.positive").value == "normal"
    at.button(key="data-use").click().run()
    spec = engine.library().specs()[0][1]
    assert (spec.one_class, spec.task, spec.rare) == ("normal", "binary", "refuse")
    fresh = open_page("data", data=at.query_params["data"])
    assert not fresh.exception and fresh.selectbox(key="data.positive").value == "normal"


@pytest.mark.slow
def test_a_grade_offers_both_readings_side_by_side(jobs):  # noqa: F811
    lines = ["acid,sugar,quality", *(f"{i * 3 % 17 / 2},{i * 7 % 23 / 3},{4 + (i + i // 9) % 6}" for i in range(180))]
    at = upload("wine.csv", "\n".join(lines).encode())
    at.button(key="data-candidate-quality").click().run()
    assert {t("data.reading_classes"), t("data.reading_number")} <= {m.label for m in at.metric}
    assert at.button(key="data-reading-multiclass").label == t("data.reading_taken")
    at.button(key="data-reading-regression").click().run()
    assert not at.exception and at.selectbox(key="data.task").value == "regression"
    at.button(key="data-use").click().run()
    assert engine.library().specs()[0][1].task == "regression"


def test_a_date_under_a_random_split_is_split_by_where_it_is_said(jobs):  # noqa: F811
    lines = [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d},{i * 7 % 60},{'yes' if i % 3 else 'no'}" for i in range(120)]
    at = upload("visits.csv", "\n".join(["day,clicks,bought", *lines]).encode())
    assert not at.exception and "day is a date and the split is random" in words(at)
    next(b for b in at.button if ".split-by." in (b.key or "")).click().run()
    assert not at.exception and at.selectbox(key="data.time").value == "day"
    assert at.session_state[sources.CHOICES]["time"] == "day" and "the split is random" not in words(at)


def test_a_column_with_a_finding_counts_among_those_that_are_used(jobs):  # noqa: F811
    lines = [f"{20 + i % 40},{'' if i % 7 == 0 else 'ios'},{'left' if i % 4 else 'stayed'}" for i in range(90)]
    at = upload("gym.csv", "\n".join(["age,app,outcome", *lines]).encode())
    assert not at.exception and "In app, missing counts as a value of its own." in words(at)
    badges = [m.value for m in at.markdown if "columns ready" in m.value]
    assert badges and "3 columns ready" in badges[0]
