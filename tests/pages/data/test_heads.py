"""What each of several targets is, chosen on the page; and the page Data before there is a file."""

from __future__ import annotations

import pytest

from kd_core.scenarios import SCENARIOS
from kd_core.specs import ReadSpec
from kd_core.task import TASKS, task_of
from pages.ui.data import more_targets, sources, understanding
from pages.ui.shared import engine
from pages.ui.shared.text import t
from tests.pages.screen import jobs, open_page, words  # noqa: F401

pytestmark = pytest.mark.slow


def kind(at, name):
    return at.selectbox(key=f"{more_targets.KEY}.kind.{name}")


def rated():
    """A table with a grade, which may be a class or a number, and a word."""
    lines = [f"{i % 17},{i % 5 + 1},{'yes' if i % 3 else 'no'},{i % 29}" for i in range(400)]
    return ("\n".join(["days,rating,late,pieces", *lines]) + "\n").encode()


def test_the_kind_of_one_target_is_chosen_kept_and_taken_back(jobs):  # noqa: F811
    at = open_page("data")
    at.get("file_uploader")[0].upload("rated.csv", rated())
    at.run()
    at.selectbox(key="data.target").set_value("rating").run()
    at.multiselect(key=more_targets.KEY).set_value(["late", "pieces"]).run()
    assert not at.exception and kind(at, "rating").value is None
    (found,) = {h.task for h in heads(at) if h.name == "rating"}
    other = "regression" if found == "multiclass" else "multiclass"
    kind(at, "rating").set_value(other).run()
    assert not at.exception and kind(at, "rating").value == other
    at.button(key="data-use").click().run()
    ((data, spec),) = engine.library().specs()
    told = {h.name: h.task for h in task_of(spec.task).heads}
    assert told["rating"] == other and set(told) == {"rating", "late", "pieces"}
    again = open_page("data", data=data)  # as after a refresh
    assert not again.exception and kind(again, "rating").value == other
    assert again.session_state[sources.CHOICES]["task"] == spec.task


def heads(at):
    """The targets as the page understood them."""
    choices = at.session_state[sources.CHOICES]
    return task_of(understanding.profile(choices, ReadSpec(), choices["name"]).task).heads


def test_a_wish_that_can_not_be_met_keeps_its_form_open():
    at = open_page("data")
    at.button(key="data-sample-profiles").click().run()
    names = [w.label for w in at.selectbox if str(w.key).startswith(f"{more_targets.KEY}.kind.")]
    assert len(names) == 3
    kind(at, "spend_next_month").set_value("multiclass").run()
    assert not at.exception and at.button(key="data-use").disabled  # far too many classes
    assert kind(at, "spend_next_month").value == "multiclass"
    kind(at, "spend_next_month").set_value(None).run()
    assert not at.exception and not at.button(key="data-use").disabled


def test_one_target_or_labels_are_not_asked_for_kinds():
    at = open_page("data")
    for sample in ("visits", "coupons"):
        at.button(key=f"data-sample-{sample}").click().run()
        assert not at.exception
        assert not [w for w in at.selectbox if str(w.key).startswith(f"{more_targets.KEY}.kind.")]


def test_kinds_on_offer_are_those_that_can_stand_beside_others():
    offered = more_targets.alone()
    assert offered and set(offered) <= set(TASKS.names())
    for name in TASKS.names():
        task = task_of(name)
        able = task.target in ("classes", "number") and not task.by_group and not task.by_history
        assert (name in offered) == able


def test_an_empty_page_says_what_will_be_here_and_fills_itself_with_one_press():
    at = open_page("data")
    assert t("data.nothing") in words(at)
    assert [b.key for b in at.button if b.proto.type == "primary"] == ["data-fill"]
    entry = sources.of_example()
    assert entry.title in at.button(key="data-fill").label and entry in SCENARIOS.entries()
    at.button(key="data-fill").click().run()
    assert not at.exception and at.selectbox(key="data.target").value == entry.facts["target"]
    assert t("data.nothing") not in words(at)
