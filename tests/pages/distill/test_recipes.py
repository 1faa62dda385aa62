"""What fills the Distill form from elsewhere: recipes, clones, drafts; and what is wrong with them."""

from __future__ import annotations

import html
import json

import pytest

from kd_core.scenarios import default_spec
from kd_core.specs import RunSpec
from pages.ui.runs import draft
from pages.ui.shared import engine
from pages.ui.shared.text import t
from tests.pages.distill.test_distill import name_students, start
from tests.pages.screen import jobs, open_page, words  # noqa: F401


@pytest.fixture
def at(jobs):  # noqa: F811
    """The Distill screen on the binary sample, where students are named."""
    return name_students(open_page("distill", data=engine.library().save_spec(default_spec("purchase").dataset)))


def test_a_recipe_loaded_over_a_clone_no_longer_says_clone(jobs):  # noqa: F811
    engine._store.cache_clear()
    run_id = engine.store().create(default_spec("purchase"))
    at = open_page("distill", clone=run_id)
    assert run_id in words(at)
    at.get("file_uploader")[0].upload("recipe.json", default_spec("purchase").to_json().encode())
    at.run()
    assert not at.exception and run_id not in words(at)


def test_clone_fills_the_form_and_leaves_the_run_alone(jobs):  # noqa: F811
    spec = default_spec("purchase")
    spec = spec.model_copy(
        update={"objective": spec.objective.model_copy(update={"settings": {"temperature": 4.0, "alpha": 0.2}})}
    )
    engine._store.cache_clear()
    run_id = engine.store().create(spec)
    at = open_page("distill", clone=run_id)
    assert not at.exception and run_id in words(at)
    assert str(t("distill.cloned_best")) not in words(at)  # its student was named
    assert at.slider(key="distill.objective.hinton.alpha").value == 0.2
    assert "clone" not in at.query_params
    assert start(at, jobs).work_hash() == spec.work_hash()


def test_an_unknown_clone_is_named(jobs):  # noqa: F811
    at = open_page("distill", clone="nope")
    assert "There is no run" in at.error[0].value


def test_a_damaged_draft_is_replaced_by_the_defaults(jobs):  # noqa: F811
    dataset = engine.library().save_spec(default_spec("purchase").dataset)
    draft._path(dataset).parent.mkdir(parents=True)
    draft._path(dataset).write_text('{"students": 3}')
    at = open_page("distill", data=dataset)
    assert not at.exception and not at.button(key="distill-start").disabled


def test_a_recipe_is_loaded(at, jobs):  # noqa: F811
    spec = default_spec("purchase")
    spec = spec.model_copy(update={"training": spec.training.model_copy(update={"seeds": 7})})
    at.get("file_uploader")[0].upload("recipe.json", spec.to_json().encode())
    at.run()
    assert not at.exception and at.number_input(key="distill.training.seeds").value == 7
    at.get("file_uploader")[0].upload("recipe.json", json.dumps({"schema_version": 9}).encode())
    at.run()
    assert "problems in RunSpec" in at.error[0].value


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"objective": {"name": "hinton", "settings": {"temperature": "hot"}}},
            "1 problem in loss hinton: temperature",
        ),
        ({"objective": {"name": "hinton", "settings": {"temperature": None}}}, "1 problem in loss hinton: temperature"),
        ({"objective": {"name": "hinton", "settings": {"alpha": float("nan")}}}, "objective.settings.alpha is nan"),
        ({"teacher": {"name": "none", "settings": {}}}, "no teacher 'none'"),
        (
            {"students": [{"name": "a", "arch": {"name": "mlp", "settings": {"size": ["tiny"]}}}]},
            "architecture mlp: size",
        ),
        (
            {"students": [{"name": "a" * 50, "arch": {"name": f"n{i}"}} for i in range(5_000)]},
            "5,001 problems in RunSpec: students.0.name",
        ),
        ({"name": "\ud800"}, "name holds half a letter"),
    ],
)
def test_a_hostile_recipe_is_refused_in_words_and_the_page_stays(at, change, said):
    given = {**json.loads(default_spec("purchase").to_json()), **change}
    at.get("file_uploader")[0].upload("recipe.json", json.dumps(given).encode())
    at.run()
    shown = html.unescape(at.error[0].value).replace("\u2060", "")
    assert not at.exception and said in shown and len(shown) < 3_000
    assert at.button(key="distill-start")


def test_a_number_written_as_text_in_a_recipe_is_read_as_the_number(at):
    given = json.loads(default_spec("purchase").to_json())
    given["objective"]["settings"] = {"temperature": 4, "alpha": "0.5"}
    at.get("file_uploader")[0].upload("recipe.json", json.dumps(given).encode())
    at.run()
    assert not at.exception and at.slider(key="distill.objective.hinton.alpha").value == 0.5
    assert at.session_state["distill_draft"]["values"]["objective"]["settings"] == {"temperature": 4, "alpha": 0.5}


def test_a_draft_with_settings_that_no_widget_holds_is_replaced_by_the_defaults(jobs):  # noqa: F811
    dataset = engine.library().save_spec(default_spec("purchase").dataset)
    held = draft.of_spec(default_spec("purchase"))
    held["objective"]["settings"] = {"temperature": "hot"}
    path = draft._path(dataset)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(held), "utf-8")
    at = open_page("distill", data=dataset)
    assert not at.exception and at.button(key="distill-start")


def test_the_draft_of_a_spec_is_the_spec_again():
    spec = default_spec("recommendation")
    again = RunSpec.parse({**draft.of_spec(spec), "dataset": spec.dataset.model_dump(mode="json")})
    assert again == spec
